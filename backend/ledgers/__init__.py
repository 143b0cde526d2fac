"""Enrolments that come as a file: sealed for this backend, signed by a computer that is known here."""
