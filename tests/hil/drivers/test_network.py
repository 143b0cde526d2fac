"""Network and clock of a bench: cut and given back, and time that somebody vouches for."""

import socket
from collections.abc import Callable, Iterator, Sequence

import pytest

from hil.drivers.access_point import AccessPoint
from hil.drivers.commands import NOT_THERE, Said
from hil.drivers.host_clock import ClockUnsure, HostClock, parse
from hil.drivers.host_network import HostNetwork
from hil.errors import NetworkFailed
from hil.street.impairment import Impairment, Rules
from tests.hil.street.bare_network import a_network


class FakeAir:
    """An access point that needs `slow` looks until it is as it was told; its clock goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.is_on, self.wanted = True, True
        self.slow = 0
        self.is_deaf = False
        self.now_s = 0.0
        self.told: list[str] = []
        self._looks = 0

    def run(self, command: Sequence[str]) -> Said:
        if command[0] == "look":
            self._looks += 1
            if self._looks > self.slow:
                self.is_on = self.wanted
            return Said(0 if self.is_on else 1, "", "")
        if command[0] == "broken":
            return Said(3, "", "no such device\n")
        self.told.append(command[0])
        self._looks = 0
        if not self.is_deaf:
            self.wanted = command[0] == "up"
        return Said(0, "", "")

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def point(self, on: str = "up") -> AccessPoint:
        return AccessPoint([on], ["down"], ["look"], self.run, lambda: self.now_s, self.sleep)


def test_the_access_point_is_switched_and_looked_at_until_it_obeys() -> None:
    air = FakeAir()
    air.slow = 6
    air.point().off()
    assert (air.is_on, air.now_s) == (False, 3.0)
    air.point().on()
    assert air.is_on


def test_an_access_point_that_does_not_obey_is_said() -> None:
    air = FakeAir()
    air.is_deaf = True
    with pytest.raises(NetworkFailed, match="still there 20 s after `down`"):
        air.point().off()
    with pytest.raises(NetworkFailed, match="no such device"):
        air.point("broken").on()


@pytest.fixture
def street() -> Iterator[tuple[Impairment, socket.socket, list[socket.socket]]]:
    """A started network of two boards between bare sockets."""
    with a_network(lamps=2) as network:
        yield network


Street = tuple[Impairment, socket.socket, list[socket.socket]]


def test_a_cut_board_is_alone_until_it_is_restored(street: Street) -> None:
    impairment, server, (first, second) = street
    network = HostNetwork(impairment)
    network.cut(0)
    first.send(b"nobody hears")
    second.send(b"other")
    assert server.recv(100) == b"other"
    while not impairment.counters().get("up blackout"):
        second.send(b"other")
        assert server.recv(100) == b"other"
    network.restore(0)
    first.send(b"heard")
    assert server.recv(100) == b"heard"
    network.close()


def test_the_air_is_gone_while_anybody_is_cut(street: Street) -> None:
    air = FakeAir()
    network = HostNetwork(street[0], air.point())
    network.cut(0)
    network.cut(0)
    network.cut(1)
    assert air.told == ["down"]
    network.restore(0)
    assert not air.is_on
    network.restore(1)
    assert air.told == ["down", "up"]
    network.cut(1)
    network.close()
    assert air.is_on


def test_deliveries_and_strangers(street: Street) -> None:
    impairment, server, (first, _) = street
    network = HostNetwork(impairment)
    with pytest.raises(NetworkFailed, match="never heard"):
        network.inject(0, b"")
    first.send(b"here")
    _, source = server.recvfrom(100)
    network.inject(0, b"")
    assert first.recv(100) == b""
    server.sendto(b"one", source)
    assert first.recv(100) == b"one"
    server.sendto(b"two", source)
    assert first.recv(100) == b"two"
    one_ns, *_ = network.deliveries(0, 0)
    assert one_ns not in network.deliveries(0, one_ns + 1)
    assert network.deliveries(1, 0) == []
    network.impair(Rules(drop=1), Rules())
    first.send(b"lost")
    while not impairment.counters().get("up dropped"):
        first.send(b"lost")


TRACKING = (
    "A29FC87B,time.example,3,1763890000.123456789,-0.000030000,0.000001,0.000020,"
    "12.3,0.001,0.02,0.004,0.0005,64.2,Normal"
)


def test_the_clocks_uncertainty_is_all_that_chrony_cannot_exclude() -> None:
    assert parse(TRACKING + "\n") == pytest.approx(0.03 + 2.0 + 0.5)


@pytest.mark.parametrize(
    "text",
    [
        TRACKING.replace("Normal", "Not synchronised"),
        TRACKING.replace(",3,", ",0,"),
        TRACKING.replace("0.004", "x"),
        "506 Cannot talk to daemon",
        "",
    ],
)
def test_a_clock_that_nobody_vouches_for_is_refused(text: str) -> None:
    with pytest.raises(ClockUnsure, match="chrony"):
        parse(text)


def ticking(start_ns: int, step_ns: int = 100) -> Callable[[], int]:
    now_ns = start_ns

    def read() -> int:
        nonlocal now_ns
        now_ns += step_ns
        return now_ns

    return read


def test_host_moments_and_utc_lead_to_one_another() -> None:
    clock = HostClock(lambda _: Said(0, TRACKING, ""), lambda: 1_000_000, lambda: 1_763_890_000_000_000_000)
    assert clock.utc_ms(2_000_000) == pytest.approx(1_763_890_000_001.0)
    assert clock.host_ns(1_763_890_000_001.0) == pytest.approx(2_000_000, abs=300)
    assert clock.uncertainty_ms() == pytest.approx(2.53)


def test_a_clock_that_is_stepped_during_the_run_is_said() -> None:
    wall_ns = 10**18
    clock = HostClock(lambda _: Said(0, TRACKING, ""), ticking(0), lambda: wall_ns)
    assert clock.utc_ms(0)
    wall_ns += 60_000_000
    with pytest.raises(ClockUnsure, match="stepped by 60 ms"):
        clock.utc_ms(0)


def test_without_chrony_there_is_no_clock() -> None:
    with pytest.raises(ClockUnsure, match=r"no chronyc.*apt-get install chrony"):
        HostClock(lambda _: Said(NOT_THERE, "", ""))
    with pytest.raises(ClockUnsure, match="506 Cannot talk"):
        HostClock(lambda _: Said(1, "", "506 Cannot talk to daemon\n"))
