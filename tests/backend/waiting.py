"""Waiting in the event loop for what must happen."""

import asyncio
from collections.abc import Callable

# For a computer that is busy; what hangs is found all the same.
PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.005


async def until(condition: Callable[[], object]) -> None:
    """Until it is true; raises TimeoutError after `PATIENCE_S`."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(_LOOK_EVERY_S)
