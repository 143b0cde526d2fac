"""Incidents: many lamps that are lost together, as one thing with one likely cause."""
