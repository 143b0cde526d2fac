"""What both sides of the wire share. Imports nothing but the interpreter's own modules; runs on CPython and MicroPython."""
