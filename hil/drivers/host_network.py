"""The network of a bench whose boards send to this computer: each to a port of its own, with the impairment behind it
and the backend behind that; and, where one can be switched, the boards' access point."""

import math

from hil.drivers.access_point import AccessPoint
from hil.errors import NetworkFailed
from hil.street.impairment import Impairment, Rules


class HostNetwork:
    """`impairment` has a port a board and is started; it is closed with this.

    With an access point a cut takes the air away, from all boards, until nobody is cut any more: a lamp must notice
    that it is gone and join again. Without one, the datagrams of that board alone are swallowed.
    """

    def __init__(self, impairment: Impairment, access_point: AccessPoint | None = None) -> None:
        self._impairment, self._access_point = impairment, access_point
        self._cut: set[int] = set()

    def cut(self, board: int) -> None:
        if board in self._cut:
            return
        self._impairment.black_out([board], math.inf)
        if self._access_point is not None and not self._cut:
            self._access_point.off()
        self._cut.add(board)

    def restore(self, board: int) -> None:
        self._impairment.lift_blackout([board])
        self._cut.discard(board)
        if self._access_point is not None and not self._cut:
            self._access_point.on()

    def impair(self, up: Rules, down: Rules) -> None:
        self._impairment.set_rules(up, down)

    def inject(self, board: int, data: bytes) -> None:
        try:
            self._impairment.inject(board, data)
        except LookupError:
            raise NetworkFailed(
                f"board {board} was never heard, so nobody knows its address",
                "is it provisioned with this computer's address and its udp_port of bench.toml?",
            ) from None
        except OSError as error:
            raise NetworkFailed(f"nothing can be sent to board {board} ({error})", _ROUTE) from None

    def deliveries(self, board: int, since_ns: int) -> list[int]:
        """What was injected is not among them."""
        return self._impairment.passages(board).handed_since(since_ns)

    def close(self) -> None:
        """The air comes back first: whoever looks at the lamps next expects it."""
        was_cut = bool(self._cut)
        self._cut.clear()
        try:
            if was_cut and self._access_point is not None:
                self._access_point.on()
        finally:
            self._impairment.close()


_ROUTE = "look at this computer's network towards the boards (`ip route`)"
