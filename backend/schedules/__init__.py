"""Dimming schedules: what operators write, what each lamp should hold, and whether it does."""
