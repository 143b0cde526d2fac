"""What one lamp says right now: reading its resources, and restarting it."""
