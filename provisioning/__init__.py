"""The technician's USB tool."""
