"""Sets of lamps, nested."""
