# ruff: noqa: RUF009 (takes and one_of are dataclasses.field with words)
"""What may stand in bench.toml: tables are these classes, keys their fields. Resources only; limits: `hil.limits`."""

from dataclasses import dataclass
from pathlib import Path

from contract.limits import COAP_PORT
from hil.toml_table import one_of, takes


def _is_port(value: int) -> bool:
    return 1 <= value <= 65535


@dataclass(frozen=True)
class HubPlan:
    hub: str = takes('the hub\'s place as `uhubctl` prints it, like "1-1.4"', bool)
    port: int = takes("a port of the hub, from 1", lambda port: 1 <= port <= 32)


@dataclass(frozen=True)
class RelayPlan:
    port: str = takes('the relay board\'s serial port, like "/dev/serial/by-id/..."', bool)
    relay: int = takes("a relay of the board, 1 to 8", lambda relay: 1 <= relay <= 8)
    closed_is_on: bool = takes("true on the normally open contact, false on the normally closed one", default=True)
    answers: bool = takes("false for a board that never answers (LCUS-1)", default=True)


@dataclass(frozen=True)
class SupplyPlan:
    address: str = takes('"host", "host:port" or a serial port', bool)
    output: int = takes("an output of the supply, from 1; 0 when it has only one", lambda n: 0 <= n <= 9, default=0)


@dataclass(frozen=True)
class CommandPlan:
    on: tuple[str, ...] = takes('a program and its arguments, like ["plug", "on"]', bool)
    off: tuple[str, ...] = takes('a program and its arguments, like ["plug", "off"]', bool)


@dataclass(frozen=True)
class ProbePlan:
    port: str = takes('the probe\'s serial port, like "/dev/serial/by-id/..."', bool)


@dataclass(frozen=True)
class SigrokPlan:
    device: str = takes('what `sigrok-cli -d` takes, like "fx2lafw"', bool)
    marker_port: str = takes("the serial port whose DTR is wired to the marker's channel", bool)
    marker_channel: str = takes('the channel of the marker, like "D7"', bool)
    samplerate_hz: int = takes(
        "samples a second, 1000 to 1000000000", lambda rate: 1000 <= rate <= 10**9, default=24_000_000
    )
    ppm: float = takes("how much its crystal is fast, -500 to 500", lambda ppm: abs(ppm) <= 500, default=0.0)


@dataclass(frozen=True)
class PhotodiodePlan:
    """At the probe's ADC: it has no setting."""


@dataclass(frozen=True)
class AccessPointPlan:
    on: tuple[str, ...] = takes("a program and its arguments", bool)
    off: tuple[str, ...] = takes("a program and its arguments", bool)
    check: tuple[str, ...] = takes("a program that succeeds while the air is there, and fails when it is not", bool)


@dataclass(frozen=True)
class NetworkPlan:
    host: str = takes("this computer's address towards the boards", bool)
    access_point: AccessPointPlan | None = takes("a table with on, off and check", default=None)


@dataclass(frozen=True)
class CityPlan:
    """The backend that the boards belong to: `folder` keeps its database from run to run."""

    folder: Path = takes("a folder", lambda path: path.name)
    host: str = takes("an address of this computer", bool, default="127.0.0.1")
    http_port: int = takes("a port, 1 to 65535", _is_port, default=8000)
    coap_port: int = takes("a port, 1 to 65535", _is_port, default=COAP_PORT)


PowerPlan = HubPlan | RelayPlan | SupplyPlan | CommandPlan
InstrumentPlan = ProbePlan | SigrokPlan
# What `driver` may be, in each table that has one.
POWER: dict[str, type] = {"uhubctl": HubPlan, "relay": RelayPlan, "scpi": SupplyPlan, "command": CommandPlan}
INSTRUMENT: dict[str, type] = {"probe": ProbePlan, "sigrok": SigrokPlan}
SENSOR: dict[str, type] = {"photodiode": PhotodiodePlan}


@dataclass(frozen=True)
class BoardPlan:
    """One board. It is provisioned with the network's `host` and its own `udp_port` as its server's."""

    name: str = takes("a short name for the report", bool)
    endpoint: str = takes('its LwM2M endpoint, like "urn:dev:mac:240ac4fffe00beef"', bool)
    channel: str = takes("the instrument's channel at its dimming output", bool, or_number=True)
    udp_port: int = takes("a port of this computer for its datagrams, 1 to 65535", _is_port)
    power: PowerPlan = one_of(POWER)
    console: str = takes('its serial port, like "/dev/serial/by-id/..."', default="")
    supply_channel: str = takes("the instrument's channel that sees its supply", default="", or_number=True)
    feeder_v: tuple[float, ...] = takes(
        "lowest and highest voltage of the supply, like [4.75, 5.25]",
        lambda volts: not volts or (len(volts) == 2 and 0 < volts[0] < volts[1] < 400),
        default=(),
    )


@dataclass(frozen=True)
class Plan:
    """A bench. `pwm_hz` 0: the instrument sees levels and no pulses."""

    name: str = takes("a short name for the report", bool)
    city: CityPlan = takes("a table with folder, host, http_port and coap_port")
    network: NetworkPlan = takes("a table with host and access_point")
    instrument: InstrumentPlan = one_of(INSTRUMENT)
    board: tuple[BoardPlan, ...] = takes("one table [[board]] a board")
    sensor: PhotodiodePlan | None = one_of(SENSOR, default=None)
    pwm_hz: float = takes("the dimming output's frequency, 0 to 100000", lambda hz: 0 <= hz <= 1e5, default=0.0)
