"""What lamps measured, reading by reading."""
