"""Which sequence numbers of the peer have been seen. Source: RFC 8613 sections 3.2.2 and 7.4 (a window of 32)."""

SIZE = 32
_MASK = (1 << SIZE) - 1


class ReplayWindow:
    """The last 32 numbers below the highest one seen; what is older counts as seen.

    `lowest`: everything below it counts as seen from the start (after a restart nobody knows better).
    """

    def __init__(self, lowest=0):
        self._next = lowest  # one above the highest number seen
        self._seen = _MASK  # bit 0 is `_next - 1`, bit 31 the oldest number of the window

    def is_fresh(self, number):
        """Whether a number may be accepted; `mark` it once its message is authentic."""
        behind = self._next - 1 - number
        return behind < 0 or (behind < SIZE and not self._seen >> behind & 1)

    def mark(self, number):
        """Take a fresh number as seen."""
        ahead = number + 1 - self._next
        if ahead > 0:
            self._seen = (self._seen << ahead & _MASK if ahead < SIZE else 0) | 1
            self._next = number + 1
        else:
            self._seen |= 1 << -ahead
