"""What runs in the pole: MicroPython 1.24 or newer on ESP32, and the same files on the MicroPython VM."""
