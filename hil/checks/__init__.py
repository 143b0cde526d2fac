"""What the bench checks: a procedure each, and in `hil.checks.table` what it measures and where it can run."""
