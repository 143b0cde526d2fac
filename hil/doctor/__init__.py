"""What is wrong with a bench, and what to do about it, before a check wonders."""
