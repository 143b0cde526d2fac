"""Faults of lamps: raised and cleared by their own transitions, or by their silence; answered by people."""
