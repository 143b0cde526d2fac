"""bench.toml: the example is whole, and what is wrong in a file is named with its place and with what it takes."""

import tomllib
from pathlib import Path

import pytest

from hil import bench_file
from hil.bench_plan import POWER, CommandPlan, HubPlan, PhotodiodePlan, ProbePlan, SigrokPlan, SupplyPlan
from hil.desk import Desk
from hil.errors import BenchFile, InstrumentSilent
from hil.street.backend import Api

EXAMPLE = bench_file.EXAMPLE.read_text(encoding="utf-8")
SIGROK = """driver = "sigrok"
device = "fx2lafw"
marker_port = "/dev/marker"
marker_channel = "D7"
"""
PROBE = EXAMPLE[EXAMPLE.index('driver = "probe"') : EXAMPLE.index("# Or a logic analyser")]
LEFT_POWER = 'power = { driver = "scpi", address = "192.168.1.30:5025", output = 1 }'
RIGHT_POWER = 'power = { driver = "uhubctl", hub = "1-1.4", port = 2 }'


DESK = Desk(Api("http://127.0.0.1:9", "none"), [1, 2])


def test_the_example_is_read() -> None:
    plan = bench_file.read(EXAMPLE)
    assert plan.instrument == ProbePlan("/dev/serial/by-id/usb-MicroPython_Board_in_FS_mode_e6614c311b7e6f35-if00")
    assert plan.sensor == PhotodiodePlan()
    assert plan.pwm_hz == 1000
    left, right = plan.board
    assert (left.channel, left.supply_channel, left.feeder_v) == ("0", "4", (4.75, 5.25))
    assert (left.power, right.power) == (SupplyPlan("192.168.1.30:5025", 1), HubPlan("1-1.4", 2))
    assert (right.supply_channel, right.feeder_v) == ("", ())
    assert plan.network.access_point is not None
    assert plan.network.access_point.on == ("nmcli", "connection", "up", "bench")


def test_everything_that_the_example_offers_in_comments_is_read_too() -> None:
    offered = [line.removeprefix("# ") for line in EXAMPLE.splitlines() if line.startswith("# power")]
    assert len(offered) == len(POWER) - 2
    for power in offered:
        bench_file.read(EXAMPLE.replace(RIGHT_POWER, power))
    start = EXAMPLE.index("# [instrument]")
    lines = EXAMPLE[start : EXAMPLE.index("[sensor]")].splitlines()
    other = "".join(f"{line.removeprefix('# ')}\n" for line in lines)
    text = EXAMPLE[: EXAMPLE.index("[instrument]")] + other + EXAMPLE[EXAMPLE.index("[[board]]") :]
    instrument = bench_file.read(text).instrument
    assert isinstance(instrument, SigrokPlan)
    assert (instrument.samplerate_hz, instrument.ppm) == (24_000_000, 64.0)


def test_a_file_is_found_and_its_folder_is_where_the_city_is(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    with pytest.raises(BenchFile, match=r"bench\.example\.toml"):
        bench_file.load(file)
    file.write_bytes(b"\xff")
    with pytest.raises(BenchFile, match="no UTF-8"):
        bench_file.load(file)
    file.write_text(EXAMPLE, encoding="utf-8")
    assert bench_file.load(file).city.folder == tmp_path / "city"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "desk"', "name = ", "is no TOML"),
        ('name = "desk"', "", "name is missing; it takes a short name"),
        ('name = "desk"', 'name = ""', "name is ''"),
        ('name = "desk"', 'name = "desk"\nlimit_s = 3', "no key limit_s; it takes name, city"),
        ("http_port = 8000", "http_port = 80000", r"\[city\] http_port is '80000'; it takes a port, 1 to 65535"),
        ("http_port = 8000", "http_port = true", r"\[city\] http_port is 'True'"),
        (
            "http_port = 8000",
            "http_prot = 8000",
            r"\[city\] there is no key http_prot; it takes folder, host, http_port",
        ),
        ("pwm_hz = 1000", "pwm_hz = nan", "pwm_hz is 'nan'"),
        ('driver = "probe"', 'driver = "scope"', r"unknown driver 'scope'; driver is \"probe\", \"sigrok\""),
        ('driver = "probe"', "", r"\[instrument\] has no driver"),
        ('driver = "photodiode"', 'driver = "photodiode"\npin = 3', r"\[sensor\] there is no key pin; it takes no key"),
        ('driver = "uhubctl"', 'driver = "hub"', r"\[board\[right\].power\].*uhubctl.*relay.*scpi.*command"),
        ("port = 2 }", 'port = "2" }', r"\[board\[right\].power\] port is '2'"),
        (RIGHT_POWER, "", r"\[board\[right\]\] power is missing; it takes a table with driver"),
        (RIGHT_POWER, 'power = { driver = "command", on = ["plug"], off = [] }', r"off is '\[\]'"),
        (RIGHT_POWER, 'power = { driver = "command", on = ["plug", 1], off = ["x"] }', "on is"),
        (RIGHT_POWER, 'power = "on"', "has no driver"),
        ("feeder_v = [4.75, 5.25]", "feeder_v = [5.25, 4.75]", r"feeder_v .* like \[4\.75, 5\.25\]"),
        ("feeder_v = [4.75, 5.25]", "feeder_v = [5]", "feeder_v"),
        ("channel = 1\n", "channel = 0\n", r"\[board 2\] channel and \[board 1\] channel have the same channel, 0"),
        ("channel = 1\n", "channel = 4\n", "same channel, 4"),
        ("channel = 1\n", "channel = 8\n", "none of a probe"),
        ("channel = 1\n", 'channel = "D1"\n', "none of a probe"),
        ("channel = 1\n", "channel = 1.5\n", "channel is '1.5'"),
        ("udp_port = 5702", "udp_port = 5701", "same UDP port, 5701"),
        ("udp_port = 5702", "udp_port = 5683", r"\[board 2\] udp_port and \[city\] coap_port have the same UDP port"),
        ("CP2102_0002", "CP2102_0001", "same serial port"),
        ('name = "right"', 'name = "left"', "same name, left"),
        ("240ac4fffe00bef0", "240ac4fffe00beef", "same endpoint"),
        (RIGHT_POWER, LEFT_POWER, "same power switch"),
        (PROBE, SIGROK, "there is no probe"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_it_takes(old: str, new: str, words: str) -> None:
    assert EXAMPLE.count(old) == 1
    with pytest.raises(BenchFile, match=words):
        bench_file.read(EXAMPLE.replace(old, new), "bench.toml")


def test_two_boards_may_share_a_supply_and_a_relay_board_but_no_relay() -> None:
    second = LEFT_POWER.replace("output = 1", "output = 2")
    bench_file.read(EXAMPLE.replace(RIGHT_POWER, second))
    relay = 'power = { driver = "relay", port = "/dev/relays", relay = %d }'
    both = EXAMPLE.replace(LEFT_POWER, relay % 1)
    bench_file.read(both.replace(RIGHT_POWER, relay % 2))
    with pytest.raises(BenchFile, match="same power switch"):
        bench_file.read(both.replace(RIGHT_POWER, relay % 1))
    with pytest.raises(BenchFile, match="same serial port"):
        bench_file.read(both.replace("/dev/relays", tomllib.loads(EXAMPLE)["board"][1]["console"]))


@pytest.mark.parametrize("table", ["board", "city", "network", "instrument"])
def test_a_table_that_is_no_table_is_refused(table: str) -> None:
    lines = EXAMPLE.splitlines()
    text = "\n".join([f'{table} = "x"', *lines])
    with pytest.raises(BenchFile, match=r"is no TOML|\[instrument\]"):
        bench_file.read(text)
    with pytest.raises(BenchFile):
        bench_file.read(f'name = "x"\n{table} = 3\n')


class Opened:
    """What was opened and closed, in order; it stands for every device."""

    def __init__(self, told: list[str], name: str, *arguments: object, fails: bool = False) -> None:
        self.told, self.name, self.arguments = told, name, arguments
        told.append(f"open {name}")
        if fails:
            raise InstrumentSilent(f"{name} is dead", "wake it")

    def close(self) -> None:
        self.told.append(f"close {self.name}")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []

    def stand_in(place: str, name: str) -> None:
        monkeypatch.setattr(place, lambda *arguments, **_: Opened(told, name, *arguments))

    stand_in("hil.drivers.host_clock.HostClock", "clock")
    stand_in("hil.drivers.probe.open_port", "port")
    monkeypatch.setattr("hil.drivers.relay_board.RelayBoard", type("Relays", (Opened,), {}))
    monkeypatch.setattr(
        "hil.drivers.relay_board.RelayBoard.__init__", lambda self, *a: Opened.__init__(self, told, "relays", *a)
    )
    monkeypatch.setattr("hil.drivers.probe.Probe", type("Probes", (Opened,), {}))
    monkeypatch.setattr("hil.drivers.probe.Probe.__init__", lambda self, *a: Opened.__init__(self, told, "probe", *a))
    return told


def on_loopback() -> str:
    relay = 'power = { driver = "relay", port = "/dev/relays", relay = %d }'
    text = EXAMPLE.replace(LEFT_POWER, relay % 1).replace(RIGHT_POWER, relay % 2)
    return text.replace('host = "192.168.4.1"', 'host = "127.0.0.3"')


def test_a_bench_is_opened_whole_and_closed_whole(told: list[str]) -> None:
    plan = bench_file.read(on_loopback())
    with bench_file.open_bench(plan, DESK) as bench:
        assert [stand.name for stand in bench.stands] == ["left", "right"]
        assert (bench.name, bench.is_simulated, bench.pwm_hz) == ("desk", False, 1000)
        assert bench.stands[0].feeder_v == (4.75, 5.25)
        assert (bench.stands[0].supply_channel, bench.stands[1].supply_channel) == ("4", None)
        assert bench.sensor is not None
        assert bench.desk is DESK
        assert told == ["open clock", "open port", "open probe", "open relays"]
    assert sorted(told[4:]) == ["close probe", "close relays"]


def test_a_bench_that_opens_by_half_is_closed_again(told: list[str]) -> None:
    plan = bench_file.read(on_loopback().replace("127.0.0.3", "192.0.2.1"))
    with pytest.raises(Exception, match="must be an address of this computer"), bench_file.open_bench(plan, DESK):
        raise AssertionError("it opened")
    assert sorted(told[4:]) == ["close probe", "close relays"]


def test_a_command_needs_no_device() -> None:
    power = 'power = { driver = "command", on = ["true"], off = ["false"] }'
    plan = bench_file.read(EXAMPLE.replace(LEFT_POWER, power).replace(RIGHT_POWER, power))
    assert plan.board[0].power == CommandPlan(("true",), ("false",))
