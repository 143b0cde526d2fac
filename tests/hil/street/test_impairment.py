"""The bad network: what it decides is a function of seed and number, and the shell does what was decided."""

import socket
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.street.impairment import Impairment, Rules, fate, mapping
from tests.hil.street.bare_network import a_network

SHARES = st.floats(0, 1)
RULES = st.builds(
    Rules, drop=SHARES, duplicate=SHARES, corrupt=SHARES, reorder=SHARES, delay_ms=st.floats(0, 100), late_ms=SHARES
)
MANY = range(4000)


@given(RULES, st.integers(0, 10**6), st.binary(max_size=40))
def test_the_same_seed_and_number_meet_the_same_fate(rules: Rules, index: int, data: bytes) -> None:
    assert fate("7/1/up", rules, index, data, 0) == fate("7/1/up", rules, index, data, 0)


@given(st.binary(max_size=60), st.integers(0, 10**6))
def test_a_good_network_passes_everything_at_once_and_whole(data: bytes, index: int) -> None:
    assert fate("1", Rules(), index, data, 5.0) == (((0.0, data),), ("passed",))


def deeds(rules: Rules, seed: str = "1") -> Counter[str]:
    return Counter(deed for index in MANY for deed in fate(seed, rules, index, b"datagram", 0).deeds)


def test_shares_are_kept() -> None:
    done = deeds(Rules(drop=0.3, duplicate=0.1, reorder=0.2, corrupt=0.05))
    assert done["dropped"] == pytest.approx(1200, rel=0.1)
    passed = done["passed"]
    assert passed + done["dropped"] == len(MANY)
    assert done["duplicated"] == pytest.approx(0.1 * passed, rel=0.25)
    assert done["reordered"] == pytest.approx(0.2 * passed, rel=0.25)
    assert done["corrupted"] == pytest.approx(0.05 * passed, rel=0.3)


def test_a_second_rule_does_not_change_what_the_first_one_hits() -> None:
    alone, both = Rules(drop=0.3), Rules(drop=0.3, duplicate=0.5, corrupt=0.5, reorder=0.5)
    lost = [[index for index in MANY if not fate("9", rules, index, b"x", 0).copies] for rules in (alone, both)]
    assert lost[0] == lost[1]


def test_directions_and_lamps_have_weather_of_their_own() -> None:
    rules = Rules(drop=0.5)
    hits = {
        seed: [bool(fate(seed, rules, index, b"x", 0).copies) for index in range(64)] for seed in ("1/up", "1/down")
    }
    assert hits["1/up"] != hits["1/down"]


@given(st.binary(min_size=1, max_size=60), st.integers(0, 10**6))
def test_harm_is_one_bit_or_a_missing_end(data: bytes, index: int) -> None:
    ((_, harmed),) = fate("3", Rules(corrupt=1), index, data, 0).copies
    assert harmed != data
    if len(harmed) == len(data):
        assert sum((one ^ other).bit_count() for one, other in zip(harmed, data, strict=True)) == 1
    else:
        assert data.startswith(harmed)


def test_an_empty_datagram_cannot_be_harmed() -> None:
    assert fate("3", Rules(corrupt=1), 1, b"", 0).copies == ((0.0, b""),)


def test_reordered_datagrams_are_overtaken() -> None:
    rules = Rules(reorder=0.3, delay_ms=5, jitter_ms=1, late_ms=200)
    arrivals = sorted((10 * index + fate("4", rules, index, b"", 0).copies[0][0], index) for index in range(200))
    assert [index for _, index in arrivals] != list(range(200))


def test_in_a_blackout_nothing_passes_and_after_it_everything_does() -> None:
    rules = Rules(blackouts=((10, 20), (50, 60)))
    passed = [now_ms for now_ms in range(0, 70, 5) if fate("5", rules, now_ms, b"x", now_ms).copies]
    assert passed == [0, 5, 20, 25, 30, 35, 40, 45, 60, 65]


@pytest.mark.parametrize(
    "wrong", [{"drop": 1.1}, {"drop": -0.1}, {"jitter_ms": 60_001}, {"corrupt": float("nan")}, {"blackouts": ((2, 1),)}]
)
def test_rules_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"shares are 0 to 1|start_ms"):
        Rules(**wrong)  # type: ignore[arg-type]


@given(st.integers(0, 100), st.integers(0, 50))
def test_a_mapping_lives_for_exactly_its_time(seed: int, lamp: int) -> None:
    numbers = [mapping(seed, lamp, 1000, now_ms) for now_ms in range(0, 10_000, 10)]
    assert sorted(set(numbers)) == list(range(numbers[0], numbers[0] + len(set(numbers))))
    assert set(Counter(numbers[numbers.index(numbers[0] + 1) : numbers.index(numbers[0] + 9)]).values()) == {100}


def test_without_rebinding_the_mapping_stays() -> None:
    assert {mapping(1, 1, 0, now_ms) for now_ms in range(0, 10**6, 1000)} == {0}


def test_datagrams_travel_both_ways_and_each_lamp_hears_its_own_answers() -> None:
    with a_network(lamps=50) as (network, server, lamps):
        for number, lamp in enumerate(lamps):
            lamp.send(b"from %d" % number)
        for _ in lamps:
            data, source = server.recvfrom(100)
            server.sendto(data.replace(b"from", b"to"), source)
        assert [lamp.recv(100) for lamp in lamps] == [b"to %d" % number for number in range(50)]
        counters = network.counters()
    assert counters == {"up passed": 50, "down passed": 50}


def test_an_empty_datagram_is_carried() -> None:
    with a_network() as (_, server, (lamp,)):
        lamp.send(b"")
        assert server.recv(100) == b""


def test_what_was_decided_is_what_arrives_whatever_the_order() -> None:
    rules = Rules(drop=0.3, duplicate=0.3, corrupt=0.2, reorder=0.3, late_ms=5)
    sent = [b"datagram %d" % index for index in range(1, 101)]
    wanted = Counter(
        copy for index, data in enumerate(sent, 1) for _, copy in fate("7/0/up", rules, index, data, 0).copies
    )
    with a_network() as (network, server, (lamp,)):
        network.set_rules(rules)
        for data in sent:
            lamp.send(data)
        assert Counter(server.recv(100) for _ in range(wanted.total())) == wanted


def test_a_rebound_lamp_is_heard_from_a_new_port_and_its_old_one_is_dead() -> None:
    with a_network(rebind_ms=1) as (network, server, (lamp,)):
        ports: list[tuple[str, int]] = []
        while len(set(ports)) < 3:
            lamp.send(b"here")
            ports.append(server.recvfrom(100)[1])
            server.sendto(b"to the old port", ports[0])
        lamp.settimeout(0.05)
        with pytest.raises(TimeoutError):
            while True:
                # Only the first answer could come in time.
                assert lamp.recv(100) == b"to the old port"
        assert network.counters()["rebound"] >= 2
        assert len(network.passages(0).lost_ns) >= network.counters()["rebound"]


def test_it_knows_what_came_through_and_what_did_not() -> None:
    with a_network() as (network, server, (lamp,)):
        network.set_rules(Rules(duplicate=1))
        lamp.send(b"\x40\x02once")
        assert [server.recv(100) for _ in range(2)] == [b"\x40\x02once"] * 2
        lamp.send(b"\x60\x00\x12\x34")
        assert [server.recv(100) for _ in range(2)] == [b"\x60\x00\x12\x34"] * 2
        passages = network.passages(0)
        assert (len(passages.heard_ns), len(passages.lost_ns)) == (1, 0)
        network.set_rules(Rules(corrupt=1))
        lamp.send(b"\x40\x02harmed")
        assert server.recv(100) != b"\x40\x02harmed"
        network.set_rules(Rules(drop=1))
        lost = len(passages.lost_ns)
        lamp.send(b"\x40\x02dropped")
        while "up dropped" not in network.counters():
            lamp.send(b"\x40\x02dropped")
        assert len(passages.heard_ns) == 1 and len(passages.lost_ns) > lost >= 1


def test_it_knows_when_a_datagram_was_handed_to_the_lamp() -> None:
    with a_network() as (network, server, (lamp,)):
        lamp.send(b"here")
        _, source = server.recvfrom(100)
        handed_ns = network.passages(0).handed_ns
        asked_ns = []
        for answer in (b"one", b"two"):
            asked_ns.append(time.monotonic_ns())
            server.sendto(answer, source)
            assert lamp.recv(100) == answer
        network.set_rules(Rules(corrupt=1))
        server.sendto(b"harmed", source)
        assert lamp.recv(100) != b"harmed"
        network.set_rules(Rules())
        server.sendto(b"", source)  # its arrival says that the two before it were noted
        assert lamp.recv(100) == b""
        assert asked_ns[0] < handed_ns[0] < asked_ns[1] < handed_ns[1] < time.monotonic_ns()
        assert len(handed_ns) <= 3  # two whole ones and, if it was noted already, the empty one


def test_a_stranger_reaches_the_lamp_where_it_was_heard_whatever_the_weather() -> None:
    with a_network() as (network, server, (lamp,)):
        with pytest.raises(LookupError, match="never heard"):
            network.inject(0, b"too early")
        lamp.send(b"here")
        server.recv(100)
        network.set_rules(Rules(drop=1))
        for data in (b"garbage", b""):
            network.inject(0, data)
            assert lamp.recv(100) == data
        assert not network.passages(0).handed_ns


def test_lamps_send_to_the_host_and_the_ports_that_were_asked_for() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            Impairment(("127.0.0.1", 9), 2, seed=7, host="127.0.0.2", ports=[0, port])
    network = Impairment(("127.0.0.1", 9), 2, seed=7, host="127.0.0.2", ports=[port, 0])
    try:
        assert network.ports[0] == port != network.ports[1]
        assert network._ways[1].front.getsockname()[0] == "127.0.0.2"
    finally:
        network.close()


def test_a_blackout_hits_the_lamps_that_it_names() -> None:
    with a_network(lamps=2) as (network, server, (dark, bright)):
        network.black_out([0], 60_000)
        dark.send(b"dark")
        bright.send(b"bright")
        assert server.recv(100) == b"bright"
        dark.send(b"dark")
        bright.send(b"bright")
        assert server.recv(100) == b"bright"
        assert network.counters()["up blackout"] >= 1


def test_a_blackout_without_an_end_lasts_until_it_is_lifted() -> None:
    with a_network(lamps=2) as (network, server, (dark, bright)):
        network.black_out([0], float("inf"))
        dark.send(b"lost")
        bright.send(b"passes")
        assert server.recv(100) == b"passes"
        while not network.counters().get("up blackout"):
            dark.send(b"lost")
        network.lift_blackout([0, 1])
        dark.send(b"again")
        while (data := server.recv(100)) != b"again":
            assert data == b"lost"  # sent before, and on its way when it was lifted


def test_more_than_fits_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.street.impairment.MOST_WAITING", 5)
    with a_network() as (network, server, (lamp,)):
        network.set_rules(Rules(delay_ms=100))
        for _ in range(20):
            lamp.send(b"x")
        for _ in range(5):
            server.recv(100)
        assert network.counters()["overflowed"] == 15


def test_a_network_in_front_of_nobody_goes_on() -> None:
    with a_network() as (network, server, (lamp,)):
        server.close()
        for _ in range(3):
            lamp.send(b"anybody?")
        assert network._thread.is_alive()


def test_closing_twice_is_no_error() -> None:
    with a_network() as (network, _, __):
        network.close()
