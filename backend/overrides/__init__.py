"""Manual overrides: a level for a lamp or a zone until an end, and what became of it at each lamp."""
