"""The UDP idiom over a socket that has the ESP32's habits: tuple addresses, and the latch after an empty datagram."""

import errno
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from firmware.hal import udp

LAMP = ("192.168.4.23", 5683)
SERVER = ("192.168.4.1", 5683)


class Air:
    """What is on its way, which ports are taken, and what the driver refuses."""

    def __init__(self) -> None:
        self.arriving: list[object] = []
        self.taken: set[int] = set()
        self.bound: list[int] = []
        self.sent: list[tuple[bytes, object]] = []
        self.refuse_send: OSError | None = None
        self.open_sockets = 0
        self.room = 2000  # bytes of heap in one piece


class Socket:
    air: Air

    def __init__(self, family: int, kind: int) -> None:
        self.latched = False
        self.closed = False
        self.air.open_sockets += 1

    def setblocking(self, flag: bool) -> None:
        assert flag is False

    def bind(self, address: tuple[str, int]) -> None:
        if address[1] in self.air.taken:
            raise OSError(errno.EADDRINUSE, "taken")
        self.air.bound.append(address[1])

    def sendto(self, data: bytes, address: object) -> None:
        assert not self.closed
        if self.air.refuse_send is not None:
            raise self.air.refuse_send
        self.air.sent.append((data, address))

    def recvfrom(self, size: int) -> tuple[bytes, object]:
        assert not self.closed
        if self.latched:
            return b"", SERVER
        if size > self.air.room:
            raise MemoryError
        event = self.air.arriving.pop(0)
        if isinstance(event, BaseException):
            raise event
        data = bytes(event)[:size]  # type: ignore[call-overload]
        self.latched = data == b""
        return data, SERVER

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        self.air.open_sockets -= 1


@pytest.fixture
def air(monkeypatch: pytest.MonkeyPatch) -> Iterator[Air]:
    made = Air()

    def getaddrinfo(host: str, port: int, family: int, kind: int) -> list[tuple[object, ...]]:
        if host == "nowhere.example":
            raise OSError(-2)
        return [(family, kind, 0, "", (host, port))]

    driver = SimpleNamespace(
        socket=type("AirSocket", (Socket,), {"air": made}), getaddrinfo=getaddrinfo, AF_INET=2, SOCK_DGRAM=2
    )
    monkeypatch.setattr(udp, "socket", driver)
    yield made
    assert made.open_sockets <= 1


class Rests:
    """Virtual patience: counts the sleeps and lets a test change the world in them."""

    def __init__(self) -> None:
        self.taken_ms: list[int] = []
        self.then = lambda: None

    async def sleep_ms(self, ms: int) -> None:
        self.taken_ms.append(ms)
        self.then()


async def at_once(socket: object) -> None:
    assert socket is not None


def drawn(*ports: int) -> object:
    numbers = iter(ports)
    return lambda n: (next(numbers) - udp.FIRST_PORT).to_bytes(n, "big")


def opened(air: Air, *ports: int, rests: Rests | None = None) -> udp.Udp:
    return udp.Udp(at_once, drawn(*(ports or (50000,))), (rests or Rests()).sleep_ms)


async def test_a_datagram_comes_with_its_address(air: Air) -> None:
    air.arriving = [b"light"]
    assert await opened(air).receive() == (b"light", SERVER)


async def test_an_empty_datagram_deafens_no_lamp_and_the_port_stays(air: Air) -> None:
    """The source address is what the NAT and the server know the lamp by."""
    air.arriving = [b"", b"", b"light"]
    lamp = opened(air)
    assert await lamp.receive() == (b"light", SERVER)
    assert air.bound == [50000, 50000, 50000]
    assert (lamp.reopened, air.open_sockets) == (2, 1)


@pytest.mark.parametrize("code", [11, 111, 104])
async def test_what_is_no_fault_of_the_socket_is_passed_over(air: Air, code: int) -> None:
    air.arriving = [OSError(code), b"light"]
    lamp = opened(air)
    assert (await lamp.receive())[0] == b"light"
    assert lamp.reopened == 0


async def test_any_other_fault_makes_the_socket_anew(air: Air) -> None:
    air.arriving = [OSError(9), b"light"]
    lamp = opened(air)
    assert (await lamp.receive())[0] == b"light"
    assert lamp.reopened == 1


async def test_a_heap_without_room_for_the_largest_datagram_hears_those_of_our_blocks(air: Air) -> None:
    air.room = 1000
    air.arriving = [b"x" * 641, b"y" * 640]
    lamp = opened(air)
    assert (await lamp.receive())[0] == b"y" * 640
    assert lamp.lost == 1


async def test_the_largest_datagram_passes_and_a_larger_one_is_dropped_not_cut(air: Air) -> None:
    air.arriving = [b"x" * 1281, b"x" * 1500, b"y" * 1280]
    lamp = opened(air)
    assert (await lamp.receive())[0] == b"y" * 1280
    assert lamp.lost == 2


async def test_a_port_that_is_refused_for_a_while_is_waited_for(air: Air) -> None:
    rests = Rests()
    air.arriving = [b"", b"light"]
    lamp = opened(air, rests=rests)
    air.taken.add(50000)

    def free_after_three() -> None:
        if len(rests.taken_ms) == 3:
            air.taken.clear()

    rests.then = free_after_three
    assert (await lamp.receive())[0] == b"light"
    assert rests.taken_ms == [1000, 1000, 1000]


def test_a_port_that_another_has_is_not_shared(air: Air) -> None:
    air.taken = {50000, 50001}
    assert opened(air, 50000, 50001, 50002).port == 50002
    assert air.open_sockets == 1


def test_a_board_without_a_free_port_says_so(air: Air) -> None:
    air.taken = set(range(65536))
    with pytest.raises(OSError, match="taken"):
        opened(air, *range(50000, 50016))


def test_ports_come_from_the_dynamic_range(air: Air) -> None:
    for number in (b"\x00\x00", b"\xff\xff", b"\x7f\x01"):
        made = udp.Udp(at_once, lambda n, number=number: number, Rests().sleep_ms)
        assert 49152 <= made.port <= 65535
        made.close()


@pytest.mark.parametrize("code", [12, 110, 113, 116])
def test_what_the_driver_refuses_to_send_is_a_lost_datagram(air: Air, code: int) -> None:
    lamp = opened(air)
    air.refuse_send = OSError(code)
    assert lamp.send(b"report", SERVER) is False
    air.refuse_send = None
    assert lamp.send(b"report", SERVER) is True
    assert (lamp.lost, air.sent) == (1, [(b"report", SERVER)])


def test_sending_while_there_is_no_socket_is_a_lost_datagram(air: Air) -> None:
    lamp = opened(air)
    lamp.close()
    lamp.close()
    assert lamp.send(b"report", SERVER) is False


def test_a_name_is_resolved_or_refused_with_advice(air: Air) -> None:
    lamp = opened(air)
    assert lamp.resolve("192.168.4.1", 5683) == SERVER
    with pytest.raises(OSError, match="check server_host"):
        lamp.resolve("nowhere.example", 5683)


async def test_a_sender_is_hashable_whatever_the_port_gives(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Socket, "recvfrom", lambda self, size: (b"light", bytearray(b"\x02\x00")))
    assert await opened(air).receive() == (b"light", b"\x02\x00")


def test_an_address_of_the_unix_vm_becomes_hashable() -> None:
    assert {udp._plain(bytearray(b"\x02\x00")): 1} == {b"\x02\x00": 1}
    assert udp._plain(LAMP) == LAMP
