"""bench.toml: what is on the desk, and nothing of what it must do (that is `hil.limits`).

`read` parses and checks, pure; every error names table and key and says what it takes. `open_bench` opens what was
read. `hil.bench_plan` says what may stand in it, hil/bench.example.toml shows all of it.
"""

import socket
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from hil.bench import Bench, Stand
from hil.bench_plan import CommandPlan, HubPlan, Plan, PowerPlan, ProbePlan, RelayPlan, SigrokPlan
from hil.desk import Desk
from hil.errors import BenchFile, NetworkFailed
from hil.seams import Instrument, LightSensor, Network, Power
from hil.toml_table import read_table

EXAMPLE = Path(__file__).with_name("bench.example.toml")


def load(path: Path) -> Plan:
    """The plan in a file; its folder is where `city.folder` is looked for. Raises BenchFile."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        advice = "copy hil/bench.example.toml to it and fill it in"
        raise BenchFile(f"{path} cannot be read ({reason})", advice) from None
    plan = read(text, path.name)
    return replace(plan, city=replace(plan.city, folder=path.parent / plan.city.folder))


def read(text: str, where: str = "bench.toml") -> Plan:
    """`where` is for messages. Raises BenchFile."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BenchFile(f"{where} is no TOML: {error}", "compare it with hil/bench.example.toml") from None
    plan: Plan = read_table(Plan, values, where)
    _check_once(plan, where)
    _check_devices(plan, where)
    return plan


def _check_once(plan: Plan, where: str) -> None:
    """What can be wired or used only once: two boards that share it would be measured as one."""
    used: dict[tuple[str, object], str] = {}

    def use(kind: str, value: object, place: str) -> None:
        before = used.setdefault((kind, value), place)
        if before != place:
            raise BenchFile(f"{where}: {place} and {before} have the same {kind}, {value}", "give each its own")

    use("UDP port", plan.city.coap_port, "[city] coap_port")
    if isinstance(plan.instrument, ProbePlan):
        use("serial port", plan.instrument.port, "[instrument] port")
    else:
        use("serial port", plan.instrument.marker_port, "[instrument] marker_port")
        use("channel", plan.instrument.marker_channel, "[instrument] marker_channel")
    for number, board in enumerate(plan.board, 1):
        place = f"[board {number}]"
        use("name", board.name, place)
        use("endpoint", board.endpoint, place)
        use("channel", board.channel, f"{place} channel")
        use("UDP port", board.udp_port, f"{place} udp_port")
        if board.supply_channel:
            use("channel", board.supply_channel, f"{place} supply_channel")
        if board.console:
            use("serial port", board.console, f"{place} console")
        power = board.power
        if isinstance(power, RelayPlan):
            use("serial port", power.port, "a relay board")
        if not isinstance(power, CommandPlan):
            use("power switch", _switch(power), place)


def _switch(power: PowerPlan) -> tuple[object, ...]:
    if isinstance(power, HubPlan):
        return (power.hub, power.port)
    if isinstance(power, RelayPlan):
        return (power.port, power.relay)
    assert not isinstance(power, CommandPlan)
    return (power.address, power.output)


def _check_devices(plan: Plan, where: str) -> None:
    if plan.sensor is not None and not isinstance(plan.instrument, ProbePlan):
        raise BenchFile(
            f"{where}: [sensor] the photodiode hangs on the probe's ADC, and there is no probe",
            'set [instrument] driver = "probe", or leave [sensor] out',
        )
    if isinstance(plan.instrument, ProbePlan):
        for board in plan.board:
            for channel in (board.channel, board.supply_channel):
                if channel and not (channel.isdecimal() and int(channel) < 8):
                    raise BenchFile(f"{where}: [board {board.name}] channel {channel} is none of a probe", "0 to 7")


@contextmanager
def open_bench(plan: Plan, desk: Desk) -> Iterator[Bench]:
    """Opens every device, in the order in which their faults are best understood, and closes all at the end.

    Raises the BenchError of the first that fails; what was opened before it is closed.
    """
    # Only here: reading a bench.toml needs no serial port.
    from hil.drivers.console import BoardConsole
    from hil.drivers.host_clock import HostClock
    from hil.drivers.photodiode import Photodiode
    from hil.drivers.probe import Probe

    with ExitStack() as opened:
        clock = HostClock()
        instrument = _open_instrument(plan)
        opened.callback(instrument.close)
        sensor: LightSensor | None = None
        if plan.sensor is not None:
            assert isinstance(instrument, Probe)
            sensor = Photodiode(instrument)
        powers = _Powers(opened)
        stands = []
        for board in plan.board:
            console = BoardConsole(board.console) if board.console else None
            if console is not None:
                opened.callback(console.close)
            feeder = (board.feeder_v[0], board.feeder_v[1]) if board.feeder_v else None
            stands.append(
                Stand(
                    board.name, board.endpoint, powers.open(board.power), board.channel, console,
                    board.supply_channel or None, feeder,
                )
            )  # fmt: skip
        network = _open_network(plan, opened)
        yield Bench(
            plan.name, False, tuple(stands), instrument, network, clock, desk, sensor=sensor, pwm_hz=plan.pwm_hz or None
        )


def _open_instrument(plan: Plan) -> Instrument:
    from hil.drivers.probe import Probe, open_port
    from hil.drivers.sigrok import DtrMarker, Setting, Sigrok

    wanted = plan.instrument
    if isinstance(wanted, ProbePlan):
        return Probe(open_port(wanted.port), wanted.port)
    assert isinstance(wanted, SigrokPlan)
    watched = [channel for board in plan.board for channel in (board.channel, board.supply_channel) if channel]
    channels = (*watched, wanted.marker_channel)
    setting = Setting(wanted.device, wanted.samplerate_hz, channels, wanted.marker_channel, wanted.ppm)
    return Sigrok(setting, DtrMarker(wanted.marker_port))


class _Powers:
    """Boards may share a relay board or a supply: it is opened once, by the first."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._shared: dict[str, object] = {}

    def open(self, plan: PowerPlan) -> Power:
        from hil.drivers.command_power import CommandPower
        from hil.drivers.relay_board import RelayBoard, RelayPower
        from hil.drivers.scpi import Supply, SupplyPower, open_line
        from hil.drivers.uhubctl import HubPower

        if isinstance(plan, HubPlan):
            return HubPower(plan.hub, plan.port)
        if isinstance(plan, CommandPlan):
            return CommandPower(plan.on, plan.off)
        if isinstance(plan, RelayPlan):
            if plan.port not in self._shared:
                self._shared[plan.port] = board = RelayBoard(plan.port, plan.answers)
                self._opened.callback(board.close)
            shared = self._shared[plan.port]
            assert isinstance(shared, RelayBoard)
            return RelayPower(shared, plan.relay, plan.closed_is_on)
        if plan.address not in self._shared:
            self._shared[plan.address] = supply = Supply(open_line(plan.address), plan.address)
            self._opened.callback(supply.close)
        shared = self._shared[plan.address]
        assert isinstance(shared, Supply)
        return SupplyPower(shared, plan.output or None)


def _open_network(plan: Plan, opened: ExitStack) -> Network:
    from hil.drivers.access_point import AccessPoint
    from hil.drivers.host_network import HostNetwork
    from hil.street.impairment import Impairment

    ports = [board.udp_port for board in plan.board]
    try:
        server = (socket.gethostbyname(plan.city.host), plan.city.coap_port)
        impairment = Impairment(server, len(ports), 0, host=plan.network.host, ports=ports)
    except OSError as error:
        raise NetworkFailed(
            f"nothing can listen at {plan.network.host} on the boards' ports ({error})",
            "[network] host must be an address of this computer, and each udp_port be free",
        ) from None
    impairment.start()
    air = plan.network.access_point
    point = AccessPoint(air.on, air.off, air.check) if air is not None else None
    network = HostNetwork(impairment, point)
    opened.callback(network.close)
    return network
