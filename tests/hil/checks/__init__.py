"""The checks, on benches that are made up."""
