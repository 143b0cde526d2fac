"""Collecting garbage at the moments at which nothing is under way, so that what stays lies together (docs/firmware.md,
"Memory"). Only where the heap is small: on a host it costs a hundred times more and gives nothing."""

import gc

IS_SMALL = hasattr(gc, "threshold")  # MicroPython's


def collect():
    if IS_SMALL:
        gc.collect()
