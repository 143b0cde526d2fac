"""Power that does what it says, and says when it does not: hubs that pretend, supplies that trip, boards gone."""

import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.drivers.command_power import CommandPower
from hil.drivers.commands import NOT_THERE, TOO_LATE, Said, run
from hil.drivers.relay_board import RelayBoard, RelayPower, command, parse
from hil.drivers.scpi import Supply, SupplyPower, open_line
from hil.drivers.uhubctl import HubPower
from hil.drivers.uhubctl import parse as parse_hub
from hil.errors import PowerFailed


class FakeHub:
    """What uhubctl 2.5 prints of a hub with a board on port 2, and its USB 3 half where `is_dual`."""

    def __init__(self, kind: str = "ppps", is_dual: bool = False) -> None:
        self.kind = kind
        self.hubs = ["1-1", "2-1"] if is_dual else ["1-1"]
        self.has_power = True
        self.pretends = False
        self.is_overloaded = False
        self.permits = True
        self.calls: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> Said:
        self.calls.append(command)
        assert list(command[:5]) == ["uhubctl", "-l", "1-1", "-p", "2"]
        if not self.permits:
            return Said(1, "", "No compatible devices detected!\nRun with -h to get usage info.\n")
        out = "".join(self._status("Current", hub) for hub in self.hubs)
        if "-a" in command:
            asked_on = command[-1] == "on"
            self.has_power = (asked_on and not self.is_overloaded) or self.pretends
            out += f"Sent power {command[-1]} request\n"
            told, self.has_power = self.has_power, asked_on  # at once a pretender says what was asked
            out += "".join(self._status("New", hub) for hub in self.hubs)
            self.has_power = told
        return Said(0, out, "")

    def _status(self, age: str, hub: str) -> str:
        head = f"{age} status for hub {hub} [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, {self.kind}]\n"
        state = "0103 power enable connect [303a:1001 Espressif USB JTAG]" if self.has_power else "0000 off"
        return head + f"  Port 2: {state}\n"


@pytest.mark.parametrize("is_dual", [False, True])
def test_a_hub_switches_one_port_and_is_asked_afterwards(is_dual: bool) -> None:
    hub = FakeHub(is_dual=is_dual)
    power = HubPower("1-1", 2, hub)
    power.off()
    assert not hub.has_power
    power.on()
    assert hub.has_power
    assert [call[5:] for call in hub.calls] == [["-a", "off"], [], ["-a", "on"], []]
    assert power.voltage_v() is None


def test_a_hub_that_pretends_is_found_out() -> None:
    hub = FakeHub()
    hub.pretends = True
    with pytest.raises(PowerFailed, match="only pretends"):
        HubPower("1-1", 2, hub).off()


def test_a_port_that_stays_off_is_said() -> None:
    hub = FakeHub()
    hub.is_overloaded, hub.has_power = True, False
    with pytest.raises(PowerFailed, match=r"stays off.*short circuit"):
        HubPower("1-1", 2, hub).on()


@pytest.mark.parametrize("kind", ["ganged", "nops"])
def test_a_hub_without_switches_for_each_port_is_refused(kind: str) -> None:
    with pytest.raises(PowerFailed, match="all of its ports together"):
        HubPower("1-1", 2, FakeHub(kind)).off()


def test_without_rights_without_the_program_and_on_the_wrong_port_it_says_what_to_do() -> None:
    hub = FakeHub()
    hub.permits = False
    with pytest.raises(PowerFailed, match="udev rule"):
        HubPower("1-1", 2, hub).off()
    with pytest.raises(PowerFailed, match="apt-get install uhubctl"):
        HubPower("1-1", 2, lambda _: Said(NOT_THERE, "", "")).on()
    with pytest.raises(PowerFailed, match="says nothing of port 2"):
        HubPower("1-1", 2, lambda _: Said(0, "Current status for hub 1-1 [x, ppps]\n  Port 1: 0100 power\n", "")).on()


def test_the_later_telling_holds() -> None:
    text = FakeHub()._status("Current", "1-1") + "Sent power off request\nNew status for hub 1-1 [h, ppps]\n"
    assert parse_hub(text + "  Port 2: 0000 off\n", 2)["1-1"].is_on is False
    assert parse_hub(text, 2)["1-1"].is_on
    assert parse_hub("  Port 2: 0103 power\n", 2) == {}


class FakeRelays:
    """An LCUS-4: it takes whole commands with the right sum only, and tells its states in text. Its port is a
    terminal with a short patience. `unplug_after` writes, it is gone; a relay in `welded` does not move."""

    def __init__(self) -> None:
        self.closed = dict.fromkeys(range(1, 5), False)
        self.welded: set[int] = set()
        self.unplug_after: int | None = None
        self.is_mute = False
        self._out = b""

    def write(self, data: bytes, /) -> int:
        if self.unplug_after is not None:
            self.unplug_after -= 1
            if self.unplug_after < 0:
                raise OSError(5, "Input/output error")
        if data == b"\xff" and not self.is_mute:
            states = [f"CH{number}: {'ON' if state else 'OFF'}\r\n" for number, state in self.closed.items()]
            self._out += "".join(states).encode()
        elif len(data) == 4 and data[0] == 0xA0 and sum(data[:3]) & 0xFF == data[3] and data[1] not in self.welded:
            self.closed[data[1]] = bool(data[2])
        return len(data)

    def read(self, size: int, /) -> bytes:
        data, self._out = self._out[:size], self._out[size:]
        return data

    def reset_input_buffer(self) -> None:
        self._out = b""

    def close(self) -> None:
        self.unplug_after = 0


def test_a_relay_command_is_as_the_makers_sheet_says() -> None:
    assert command(1, True) == bytes.fromhex("A0 01 01 A2")
    assert command(1, False) == bytes.fromhex("A0 01 00 A1")
    assert command(8, True) == bytes.fromhex("A0 08 01 A9")
    with pytest.raises(ValueError, match="1 to 8"):
        command(9, True)
    assert parse(b"CH1:ON \r\nCH2: OFF\r\nch3 on\r\nCH4: O") == {1: True, 2: False, 3: True}


def test_a_relay_moves_and_is_asked_and_its_neighbours_stay() -> None:
    board = FakeRelays()
    power = RelayPower(RelayBoard("/dev/relays", port=board), 3)
    for _ in range(3):  # what is left of an old answer is not taken for a new one
        power.on()
        assert board.closed == {1: False, 2: False, 3: True, 4: False}
        power.off()
        assert not any(board.closed.values())
    relays = RelayBoard("/dev/relays", port=board)
    for relay in (1, 2, 3, 4):  # an answer is read no further than it is needed
        relays.switch(relay, True)
    assert all(board.closed.values())


def test_on_the_normally_closed_contact_an_open_relay_is_power() -> None:
    board = FakeRelays()
    power = RelayPower(RelayBoard("/dev/relays", port=board), 1, closed_is_on=False)
    power.off()
    assert board.closed[1]
    power.on()
    assert not board.closed[1]


@pytest.mark.parametrize("writes", [0, 1])
def test_a_relay_board_that_is_pulled_is_said(writes: int) -> None:
    board = FakeRelays()
    board.unplug_after = writes
    with pytest.raises(PowerFailed, match="/dev/relays is gone"):
        RelayPower(RelayBoard("/dev/relays", port=board), 1).on()


def test_a_relay_that_does_not_move_and_a_board_that_says_nothing_are_told_apart() -> None:
    board = FakeRelays()
    board.welded = {2}
    with pytest.raises(PowerFailed, match=r"relay 2 .* is open still"):
        RelayPower(RelayBoard("/dev/relays", port=board), 2).on()
    board.is_mute = True
    with pytest.raises(PowerFailed, match="answers = false"):
        RelayPower(RelayBoard("/dev/relays", port=board), 1).on()
    RelayPower(RelayBoard("/dev/relays", answers=False, port=board), 1).on()
    assert board.closed[1]
    with pytest.raises(PowerFailed, match="cannot be opened"):
        RelayBoard("/dev/no-such-relays")


class FakeSupply:
    """A supply with two outputs on a socket: it queues its errors, droops under load and trips."""

    def __init__(self) -> None:
        self.output = {1: False, 2: False}
        self.chosen = 1
        self.set_v, self.droop_v = 5.0, 0.0
        self.trips = False
        self.is_mute = False
        self.errors: list[str] = []
        self.reading: str | None = None

    def answer(self, line: str) -> str | None:
        if self.is_mute:
            return None
        match line.split():
            case ["INST:NSEL", number] if int(number) in self.output:
                self.chosen = int(number)
            case ["OUTP", state]:
                self.output[self.chosen] = state == "ON" and not self.trips
            case ["OUTP?"]:
                return str(int(self.output[self.chosen]))
            case ["MEAS:VOLT?"]:
                return self.reading or f"{(self.set_v - self.droop_v) if self.output[self.chosen] else 0.001:+.5E}"
            case ["SYST:ERR?"]:
                return self.errors.pop(0) if self.errors else '+0,"No error"'
            case _:
                self.errors.append('-113,"Undefined header"')
        return None


@contextmanager
def a_supply(fake: FakeSupply, output: int | None = None) -> Iterator[SupplyPower]:
    """Over a true socket, served by a thread until its client goes."""

    def serve() -> None:
        client, _ = listener.accept()
        with client, client.makefile("rwb") as file:
            for line in file:
                told = fake.answer(line.decode().strip())
                if told is not None:
                    file.write(told.encode() + b"\n")
                    file.flush()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        power = SupplyPower(Supply(open_line(address), address), output)
        try:
            yield power
        finally:
            power.close()
            thread.join()


def test_a_supply_switches_and_measures_its_output() -> None:
    fake = FakeSupply()
    with a_supply(fake, 2) as power:
        power.on()
        assert fake.output == {1: False, 2: True}
        fake.droop_v = 0.4
        assert power.voltage_v() == pytest.approx(4.6)
        power.off()
        assert power.voltage_v() == pytest.approx(0.001)


def test_a_supply_that_trips_is_not_on() -> None:
    fake = FakeSupply()
    fake.trips = True
    with a_supply(fake) as power, pytest.raises(PowerFailed, match="tripped"):
        power.on()


def test_the_supplys_own_error_is_told_once_and_not_blamed_on_the_next_command() -> None:
    fake = FakeSupply()
    with a_supply(fake) as power:
        fake.errors = ['-221,"Settings conflict"', '-222,"Data out of range"']
        with pytest.raises(PowerFailed, match="refuses OUTP ON: -221"):
            power.on()
        power.on()
    with a_supply(fake, 3) as power, pytest.raises(PowerFailed, match=r"INST:NSEL 3: -113"):
        power.on()


def test_a_reading_that_is_none_is_refused() -> None:
    fake = FakeSupply()
    with a_supply(fake) as power:
        for reading in ("9.91E37", "OVLD", "nan"):
            fake.reading = reading
            with pytest.raises(PowerFailed, match="measures"):
                power.voltage_v()


def test_a_supply_that_is_mute_or_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.drivers.scpi.TIMEOUT_S", 0.05)
    fake = FakeSupply()
    fake.is_mute = True
    with a_supply(fake) as power, pytest.raises(PowerFailed, match=r"is gone|does not answer"):
        power.on()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    for wrong in (address, "/dev/no-such-supply", "127.0.0.1:x"):
        with pytest.raises(PowerFailed, match="cannot be reached"):
            open_line(wrong)


def test_ones_own_commands_switch_and_their_failure_is_told(tmp_path: Path) -> None:
    mark = tmp_path / "on"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('on')"
    power = CommandPower([sys.executable, "-c", script, str(mark)], [sys.executable, "-c", "raise SystemExit('no')"])
    power.on()
    assert mark.read_text() == "on"
    with pytest.raises(PowerFailed, match=r"failed \(no\)"):
        power.off()


def test_a_program_that_is_not_there_or_does_not_end_is_told_by_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["no-such-program"]).status == NOT_THERE
    monkeypatch.setattr("hil.drivers.commands.TIMEOUT_S", 0.2)
    assert run([sys.executable, "-c", "import threading; threading.Event().wait()"])[0] == TOO_LATE
