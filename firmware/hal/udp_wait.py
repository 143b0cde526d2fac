"""Wait for a socket inside MicroPython's event loop. Only boards import this file; CPython never does."""

import asyncio


def readable(socket):
    """Await this to sleep until `socket` can be read. asyncio offers it for streams only, hence the inner name."""
    yield asyncio.core._io_queue.queue_read(socket)
