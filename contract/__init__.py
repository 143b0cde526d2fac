"""What both sides of the wire share: only the interpreter's own modules; runs on CPython and MicroPython."""
