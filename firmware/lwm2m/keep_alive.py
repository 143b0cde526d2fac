"""How often the lamp must say something so that the way back to it stays open. Pure; times are ms of the ticks.

A NAT forgets a lamp that is quiet for too long, and the server's next command goes nowhere. How long that is nobody
tells, and it differs by network (RFC 4787 section 4.3 asks for two minutes; many give less). So the server tells under
which address it sees the lamp (contract.limits.SEEN_OPTION, as one number): the same after a quiet time, and the way
stayed open for so long; another, and it had closed. Between the two the lamp halves its way to the longest interval
that holds. What closes without having been quiet for long (a provider that renumbers) is no matter of the interval, and
shows as soon as a longer quiet passes without harm.
"""

SHORTEST_MS = 15000  # more often costs the network more than a late command
PROBE_AFTER = 400  # updates that kept the way open; then a longer interval is tried: networks get better, too


class KeepAlive:
    """`open_ms`: the longest quiet after which the way was still open; `closed_ms`: the shortest after which it was
    not, None while it never closed."""

    def __init__(self):
        self.forget()

    def forget(self):
        """The network is another: nothing is known of it."""
        self.open_ms = 0
        self.closed_ms = None
        self._seen = None
        self._heard_ms = None
        self._kept = 0

    def heard(self, now_ms):
        """Something passed in both directions, or came from the server: the way is open now."""
        self._heard_ms = now_ms

    def quiet_ms(self, now_ms):
        """How long nothing has passed; None when nothing ever did."""
        return None if self._heard_ms is None else now_ms - self._heard_ms

    def told(self, seen, quiet_ms):
        """The server said where it sees the lamp (bytes; None: it does not know of this) in the answer to a request
        before which nothing had passed for `quiet_ms`."""
        before, self._seen = self._seen, seen
        if before is None or seen is None or quiet_ms is None:
            return
        if seen != before:
            self._kept = 0
            self.closed_ms = quiet_ms if self.closed_ms is None else min(self.closed_ms, quiet_ms)
            if self.open_ms >= self.closed_ms:
                self.open_ms = self.closed_ms // 2
            return
        self.open_ms = max(self.open_ms, quiet_ms)
        if self.closed_ms is None:
            return
        self._kept += 1
        if quiet_ms >= self.closed_ms:
            self.closed_ms = None
        elif self._kept >= PROBE_AFTER:
            self._kept = 0
            self.closed_ms *= 2

    def interval_ms(self, longest_ms):
        """Return ms until the next update, at most `longest_ms`, which the lifetime asks for."""
        if self.closed_ms is None:
            return longest_ms
        between_ms = self.closed_ms - self.open_ms
        # Near enough: stay an eighth below what held, so that a late update is none too late.
        if between_ms <= self.closed_ms // 8:
            aim_ms = self.open_ms - self.open_ms // 8
        else:
            aim_ms = self.open_ms + between_ms // 2
        return min(longest_ms, max(SHORTEST_MS, aim_ms))
