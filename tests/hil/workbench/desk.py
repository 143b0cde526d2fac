"""Puts it together: a city in which the boards are enrolled, boards, a probe at their outputs, and their bench.toml."""

import os
import socketserver
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from hil.drivers.simulated import SimulatedInstrument, channel
from hil.street import city, vm
from hil.street.backend import Api, Backend
from hil.street.lamp import Lamp
from hil.street.plan import Pole, plan
from hil.street.rough import free_ports
from tests.hil.workbench.chip import Chip, ProbeOnPort

ROOT = Path(__file__).resolve().parents[3]
SWITCH = Path(__file__).with_name("switch.py")
HZ = 200
# chronyc(1): half a millisecond off at most.
TRACKING = "7F000001,ntp.example,2,0.0,0.0001,0.0,0.0,0.0,0.0,0.0,0.0002,0.0002,16.0,Normal"


# As a board leaves provisioning, but for the half minute over which a feeder's lamps spread.
SETTINGS: dict[str, object] = {"registration_jitter_s": 1}


class Boards:
    """As much of a street as the simulated instrument looks at: it sees what their outputs are set to."""

    def __init__(self, lamps: Sequence[Lamp]) -> None:
        self.lamps = list(lamps)
        self.power: list[list[int]] = [[] for _ in lamps]

    def switch(self, number: int, wish: str) -> None:
        is_on = len(self.power[number]) % 2 == 1
        if is_on != (wish == "on"):
            self.power[number].append(time.monotonic_ns())
            (self.lamps[number].power_off if is_on else self.lamps[number].power_on)()


class Workbench:
    """`boards` have power once somebody switches it on; `close` ends everything."""

    def __init__(self, directory: Path, count: int = 2) -> None:
        self._directory = directory
        self._ports = free_ports()
        self._udp_ports = [free_ports()[1] for _ in range(count)]
        self._folder = directory / "city"
        self._folder.mkdir()
        poles = plan(count)
        self.endpoints = [pole.endpoint for pole in poles]
        self._enrol(poles)
        image = vm.build_image(directory)
        self.boards = Boards(
            [
                Lamp(
                    pole,
                    directory / pole.mac.hex(),
                    image,
                    ("127.0.0.1", port),
                    {"nominal_w": city.NOMINAL_W},
                    SETTINGS,
                )
                for pole, port in zip(poles, self._udp_ports, strict=True)
            ]
        )
        instrument = SimulatedInstrument(cast(Any, self.boards))
        self._probe = ProbeOnPort(Chip(HZ, [_level(instrument, number) for number in range(count)]))
        self._switches = _switches(self.boards)
        self._vouch()

    @property
    def paths(self) -> str:
        """Where programs are looked for at this desk."""
        return os.pathsep.join((str(self._directory / "bin"), os.environ["PATH"]))

    def file(self, **changes: str) -> Path:
        """A bench.toml of this desk; `changes` are text for text."""
        http_port, coap_port = self._ports
        switch = f'"{sys.executable}", "{SWITCH}", "{self._switches.server_address[1]}"'
        text = f"""
            name = "stand-ins"
            pwm_hz = {HZ}
            city = {{ folder = "city", http_port = {http_port}, coap_port = {coap_port} }}
            network = {{ host = "127.0.0.1" }}
            instrument = {{ driver = "probe", port = "{self._probe.path}" }}
        """
        for number, endpoint in enumerate(self.endpoints):
            text += f"""
            [[board]]
            name = "board-{number}"
            endpoint = "{endpoint}"
            channel = {number}
            udp_port = {self._udp_ports[number]}
            power = {{ driver = "command", on = [{switch}, "on", "{number}"], off = [{switch}, "off", "{number}"] }}
            """
        for before, after in changes.items():
            assert before in text, before
            text = text.replace(before, after)
        path = self._directory / "bench.toml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A module of this computer's Python, as somebody at this desk runs it."""
        return subprocess.run(
            [sys.executable, "-P", "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=400,
            stdin=subprocess.DEVNULL, env={**os.environ, "PATH": self.paths, "COLUMNS": "200"},
        )  # fmt: skip

    def close(self) -> None:
        self._switches.shutdown()
        self._switches.server_close()
        for number in range(len(self.endpoints)):
            self.boards.switch(number, "off")
        self._probe.close()

    def _enrol(self, poles: Sequence[Pole]) -> None:
        """What provisioning leaves behind in the city."""
        backend = Backend(self._folder, *self._ports)
        backend.start()
        try:
            api = Api(backend.url, backend.command("token", "create", "--name", "desk", "--role", "admin").strip())
            city.enrol(api, poles)
            api.close()
        finally:
            backend.stop()

    def _vouch(self) -> None:
        program = self._directory / "bin" / "chronyc"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho '{TRACKING}'\n", encoding="utf-8")
        program.chmod(0o755)


def _level(instrument: SimulatedInstrument, number: int) -> Callable[[int], float]:
    def at(host_ns: int) -> float:
        seen = instrument.trace(channel(number), host_ns)
        return seen.level[0] if len(seen) else 0.0

    return at


def _switches(boards: Boards) -> socketserver.ThreadingTCPServer:
    class Request(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            wish, number = self.rfile.readline().decode().split()
            boards.switch(int(number), wish)
            self.wfile.write(b"done\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Request)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
