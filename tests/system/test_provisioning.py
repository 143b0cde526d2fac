"""One cable, one command: a blank simulated chip becomes a lamp that registers with the running backend.

The true esptool flashes it, the true firmware boots from its flash on the MicroPython VM, the true backend enrols it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hil.street.backend import Api, Backend
from provisioning import identity, nvs
from provisioning.journal import Journal
from tests.provisioning import bases
from tests.provisioning.board import SimulatedBoard
from tests.system.waiting import free_ports, until

SHA256 = "7bbc04812073fde44a4c524e91fdd1675e22d884f5cf22263f05da90cacae15c"
WITHIN_S = 60.0
REGISTERED_S = 45.0


class City:
    """A running backend with a technician's token, and a computer with its state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        http_port, self.coap_port = free_ports()
        self.backend = Backend(folder, http_port, self.coap_port)
        self.backend.start()
        self.token = self.backend.command("token", "create", "--name", "tests", "--role", "technician").strip()
        self.api = Api(self.backend.url, self.token)
        self.state = folder / "state"

    def close(self) -> None:
        self.api.close()
        self.backend.stop()

    def command(self, *words: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "STREETLIGHT_TOKEN": self.token,
            "STREETLIGHT_STATE": str(self.state),
            "STREETLIGHT_WIFI_PASSWORD": "of lamps and lanes",
            "STREETLIGHT_OPERATOR": "Lan",
        }
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "streetlight", "provision", *words],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def words(self, board: SimulatedBoard, number: int) -> list[str]:
        return [
            "--port", board.port, "--base", str(bases.genuine_path()), "--base-sha256", SHA256,
            "--backend", self.backend.url, "--server-host", "127.0.0.1", "--server-port", str(self.coap_port),
            "--asset-id", f"LAMP-{number}", "--serial", f"SN-{number}", "--latitude", "10.7626",
            "--longitude", "106.6602", "--time-zone", "Asia/Ho_Chi_Minh", "--wifi-ssid", "street",
            "--safety-floor", "30", "--json",
        ]  # fmt: skip

    def batch(self, boards: Sequence[SimulatedBoard], first: int = 0) -> tuple[int, list[dict[str, Any]], Path]:
        """Make a lamp of each board, side by side, the plates numbered from `first`: exit status, what was told, the
        summary."""
        plates = range(first, first + len(boards))
        manifest, summary = self.folder / f"lamps-{first}.csv", self.folder / f"summary-{first}.csv"
        rows = "".join(f"LAMP-{n},SN-{n},10.7{n},106.66,Asia/Ho_Chi_Minh\n" for n in plates)
        manifest.write_text("asset_id,serial,latitude,longitude,time_zone\n" + rows)
        ports = [word for board in boards for word in ("--port", board.port)]
        with self.command(
            "batch", str(manifest), *ports, "--base", str(bases.genuine_path()), "--base-sha256", SHA256,
            "--backend", self.backend.url, "--server-host", "127.0.0.1", "--server-port", str(self.coap_port),
            "--wifi-ssid", "street", "--summary", str(summary), "--idle-s", "0", "--json",
        ) as child:  # fmt: skip
            said, complaints = child.communicate(timeout=350)
        assert not complaints.strip() or child.returncode == 0, complaints
        return child.returncode, [json.loads(line) for line in said.splitlines()], summary

    def run(self, board: SimulatedBoard, number: int) -> tuple[int, list[dict[str, Any]], str]:
        return self.ask(*self.words(board, number))

    def ask(self, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        with self.command(*words) as child:
            said, complaints = child.communicate(timeout=150)
            return child.returncode, [json.loads(line) for line in said.splitlines()], complaints

    def lamp(self, endpoint: str) -> dict[str, Any] | None:
        items = self.api.get("/lamps", endpoint=endpoint)["items"]
        return items[0] if items else None

    def is_online(self, endpoint: str) -> bool:
        lamp = self.lamp(endpoint)
        return lamp is not None and lamp["status"] == "online"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = City(tmp_path_factory.mktemp("provisioned"))
    try:
        yield city
    finally:
        city.close()


def held(board: SimulatedBoard) -> dict[nvs.Key, nvs.Value]:
    return nvs.parse(board.flash[0x9000:0xF000])


def test_a_blank_chip_becomes_a_lamp_that_registers_within_a_minute(city: City) -> None:
    with SimulatedBoard(mac="24:0a:c4:00:00:01") as board:
        begun = time.monotonic()
        status, told, complaints = city.run(board, 1)
        assert status == 0, f"{told[-1]}\n{complaints}"
        endpoint = "urn:dev:mac:240ac4fffe000001"
        assert told[-1]["step"] == "run"
        assert told[-1]["endpoint"] == endpoint
        until(lambda: city.is_online(endpoint), REGISTERED_S, f"{endpoint} is registered")
        took_s = time.monotonic() - begun
        print(f"blank to registered: {took_s:.1f} s")
        assert took_s < WITHIN_S
        drawn = identity.parse(held(board)[identity.NVS_IDENTITY])  # type: ignore[arg-type]
        assert drawn is not None
        assert held(board)[identity.NVS_SEALED] == 1
        journal = Journal(city.state, "tests", lambda: 0)
        journal.check()
        known = journal.board("24:0a:c4:00:00:01")
        assert known is not None
        assert known.events[-1] == "labelled"
        # No secret anywhere but on the chip and in the backend.
        shown = json.dumps(told) + complaints
        files = [path.read_bytes() for path in city.state.rglob("*") if path.is_file()]
        for secret in (drawn.secret.hex(), drawn.salt.hex(), "of lamps and lanes"):
            assert secret not in shown
            assert all(secret.encode() not in data for data in files)
        status, told, _ = city.run(board, 1)
        assert (status, told[-1]["code"]) == (16, "already_sealed")

        base = str(bases.genuine_path())
        words = ["verify", "--port", board.port, "--base", base, "--backend", city.backend.url, "--json"]
        status, told, complaints = city.ask(*words)
        assert status == 0, f"{told[-1]}\n{complaints}"
        assert [name for name, passed, _ in told[-1]["tests"] if passed is False] == []
        assert ["backend", True] in [row[:2] for row in told[-1]["tests"]]
        status, told, complaints = city.ask("wipe", "--port", board.port, "--yes", "--json")
        assert status == 0, f"{told[-1]}\n{complaints}"
        assert held(board) == {}
        status, told, _ = city.ask(*words)
        assert (status, told[-1]["code"]) == (37, "not_provisioned")
