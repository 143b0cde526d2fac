"""Accepting a provisioned lamp: its inventory entry and its keys, in one transaction."""
