"""The ESP32's `time`: an epoch of 2000, whole seconds, and ticks of 30 bits that start 1.5 s before their wrap.

`skip_ms(n)` lets n milliseconds pass at once. asyncio keeps the host's ticks, because its task queue is written in C
and asks the host: so this file must be imported before asyncio, and gives it the host's names first.
"""

import sys

_path = sys.path[:]
sys.path.clear()
import time as _host  # noqa: E402

ticks_ms = _host.ticks_ms
ticks_diff = _host.ticks_diff
ticks_add = _host.ticks_add
sleep_ms = _host.sleep_ms
sleep_us = _host.sleep_us
sleep = _host.sleep

sys.path.append(".frozen")
import asyncio as _asyncio  # noqa: E402, F401

sys.path.clear()
sys.path.extend(_path)

MASK = (1 << 30) - 1
HALF = 1 << 29
EPOCH_2000_S = 946684800

_first_us = _host.ticks_us()
_skipped_us = 0
_start_ms = MASK - 1500
_start_us = MASK - 900000


def _elapsed_us():
    return _host.ticks_us() - _first_us + _skipped_us


def skip_ms(ms):
    global _skipped_us
    _skipped_us += ms * 1000


def ticks_ms():  # noqa: F811
    return (_start_ms + _elapsed_us() // 1000) & MASK


def ticks_us():
    return (_start_us + _elapsed_us()) & MASK


def ticks_diff(end, start):  # noqa: F811
    return ((end - start + HALF) & MASK) - HALF


def ticks_add(ticks, delta):  # noqa: F811
    return (ticks + delta) & MASK


def time():
    return int(_host.time()) - EPOCH_2000_S
