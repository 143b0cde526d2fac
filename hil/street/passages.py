"""What the network let through of one lamp's words and what it took, as moments: the truth about a lamp's silence.

Only a request that arrives for the first time, whole, surely says that the lamp is alive: a repeated one tells the
backend nothing new, an empty message (RFC 7252 section 4.1: acknowledgement, reset) proves nothing, for anybody can
send it, and a response may come when nobody waits for it any more.
"""

from bisect import bisect_left
from collections import deque

MOST_REMEMBERED = 10_000
# Copies of a datagram follow one another within seconds; a lamp says less than this meanwhile.
RECENT = 64
HEADER_BYTES = 4
_REQUESTS = range(1, 32)  # codes 0.01 to 0.31


class Passages:
    """Moments are CLOCK_MONOTONIC ns, in order; the newest MOST_REMEMBERED are kept."""

    def __init__(self) -> None:
        self.heard_ns: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self.lost_ns: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self.handed_ns: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self._recent: deque[bytes] = deque(maxlen=RECENT)

    def delivered(self, data: bytes, now_ns: int) -> None:
        """The backend has got datagram `data` of this lamp, as the lamp had sent it."""
        if len(data) < HEADER_BYTES or data[1] not in _REQUESTS or data in self._recent:
            return
        self._recent.append(data)
        self.heard_ns.append(now_ns)

    def lost(self, now_ns: int) -> None:
        """A datagram to or from this lamp did not arrive, or not as it was sent."""
        self.lost_ns.append(now_ns)

    def handed(self, now_ns: int) -> None:
        """A datagram of the backend was handed to the lamp's network at this moment, as the backend had sent it."""
        self.handed_ns.append(now_ns)

    def handed_since(self, since_ns: int) -> list[int]:
        """Moments of `handed` from one on. The copy is made in one step: the network's thread goes on appending."""
        handed_ns = list(self.handed_ns)
        return handed_ns[bisect_left(handed_ns, since_ns) :]
