"""What runs in the pole: MicroPython on an ESP32. Everything but the boards in `firmware.hal` also runs on CPython."""

import gc

# Before anything else is imported: garbage that is collected early leaves the heap in one piece, so that the large
# blocks (tables of names, datagrams, schedules) find room in it later (docs/firmware.md, "Memory").
GC_THRESHOLD_BYTES = 8192

if hasattr(gc, "threshold"):
    gc.threshold(GC_THRESHOLD_BYTES)
