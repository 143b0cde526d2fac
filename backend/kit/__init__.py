"""Tools of the backend that hold no word of street lighting: pages, fields, upserts."""
