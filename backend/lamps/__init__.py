"""The lamps of the city: inventory, last known state, liveness."""
