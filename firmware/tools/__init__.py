"""What makes the lamp's image of its sources; runs on hosts only and is no part of the image."""
