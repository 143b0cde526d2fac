"""Block-wise uploads to the server, put together with bounds; sans-IO.

Source: RFC 7959, sections 2.3 to 2.5 and 2.9. With OSCORE the Block1 option is an inner one, so that each block is
authenticated.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from backend.device_server.errors import BAD_REQUEST, INCOMPLETE, TOO_LARGE, UNAVAILABLE, Refusal

LIFETIME_MS = 93_000
"""MAX_TRANSMIT_WAIT of RFC 7252: a client that has been silent this long has given up."""


@dataclass(slots=True)
class _Assembly:
    deadline_ms: int
    body: bytearray = field(default_factory=bytearray)


class Assembler:
    """One upload for each key (lamp, path, query); a new first block discards what was there."""

    def __init__(self, max_bytes: int, max_assemblies: int) -> None:
        self._max_bytes = max_bytes
        self._max_assemblies = max_assemblies
        self._assemblies: dict[Hashable, _Assembly] = {}

    def __len__(self) -> int:
        return len(self._assemblies)

    def feed(
        self, key: Hashable, number: int, more: bool, size_exponent: int, payload: bytes, now_ms: int
    ) -> bytes | None:
        """Take one block. Returns the whole body with the last block, None while more are to come. Raises Refusal:
        4.08 for a block that does not continue what is there, 4.13 too large, 4.00 a block of the wrong size, 5.03
        too many uploads."""
        if size_exponent > 6:
            raise Refusal(BAD_REQUEST, "Block1: size exponent 7 is reserved on UDP")
        size = 16 << size_exponent
        if len(payload) > size or (more and len(payload) != size):
            raise Refusal(BAD_REQUEST, f"Block1: the payload has {len(payload)} bytes, the block {size}")
        if number == 0:
            self._assemblies.pop(key, None)
            self._expire(now_ms)
            if len(self._assemblies) >= self._max_assemblies:
                raise Refusal(UNAVAILABLE, "too many block-wise uploads at once", max_age_s=10)
            assembly = self._assemblies[key] = _Assembly(now_ms + LIFETIME_MS)
        else:
            found = self._assemblies.get(key)
            if found is None or found.deadline_ms <= now_ms or number * size != len(found.body):
                self._assemblies.pop(key, None)
                raise Refusal(INCOMPLETE, "Block1: a block before this one is missing, begin again with block 0")
            assembly = found
        if len(assembly.body) + len(payload) > self._max_bytes:
            del self._assemblies[key]
            raise Refusal(TOO_LARGE, f"at most {self._max_bytes} bytes")
        assembly.body += payload
        assembly.deadline_ms = now_ms + LIFETIME_MS
        if more:
            return None
        return bytes(self._assemblies.pop(key).body)

    def _expire(self, now_ms: int) -> None:
        if len(self._assemblies) >= self._max_assemblies:
            self._assemblies = {key: a for key, a in self._assemblies.items() if a.deadline_ms > now_ms}
