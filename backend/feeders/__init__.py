"""Feeders: the cables that supply lamps, their lamps, and the hours in which they are planned to be on."""
