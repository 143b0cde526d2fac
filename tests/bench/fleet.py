"""`make bench-fleet`: 200 true lamps on the VM against one backend, a report each 10 s from each of them, 3 minutes.

Every lamp is the firmware in a process of its own with its own keys; its clock runs at the true rate. Power comes to
one lamp after the other, ten a second. When each is registered and holds the schedule that its digest proves, the
measurement begins. An acknowledgement takes from the lamp's line `report sent` to its line
`report acknowledged`, by the lamp's own ticks, so that protection, both ways, the database's commit and every
retransmission are in it. A report is lost that was sent and not acknowledged, or acknowledged and is not in the
database. Ends with 1 when one was lost or the 99th percentile is not below 500 ms.
"""

import argparse
import json
import math
import os
import random
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from contract import limits
from hil.street import city, vm
from hil.street.backend import Api, Backend, BackendFailed
from hil.street.lamp import Lamp
from hil.street.plan import Pole, plan

LIMIT_MS = 500
# From power to a verified schedule, all of them.
SETTLE_S = 300.0
# A feeder would light all at once; two cores that boot 200 controllers at once would show how a scheduler thrashes.
POWER_EACH_S = 0.1
# What was sent in the last moment may need its retransmissions (RFC 7252: 2-3 s, then twice as long).
DRAIN_S = 20.0
# Registrations are spread over this time, as the first seconds of a feeder's return.
JITTER_S = 10

LINE = re.compile(r"\breport (sent|acknowledged) kind=(\w+) at_s=(\d+) ticks_ms=(\d+)")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sent:
    """A report as its lamp tells of it; `waited_ms` until its acknowledgement, None when none came."""

    kind: str
    at_s: int
    waited_ms: int | None


@dataclass
class Books:
    """One lamp's reports in the window, held against the database."""

    reports: list[Sent] = field(default_factory=list)
    stored: int = 0

    @property
    def lost(self) -> int:
        return len(self.reports) - self.stored


def pair(before: str, window: str, after: str) -> list[Sent]:
    """The reports whose `sent` is in `window`, each with its acknowledgement there or `after` it.

    A lamp has one report under way at a time, so that what is acknowledged is what was sent last. A report that went
    out before the window belongs to `before`, although its acknowledgement may lie in the window.
    """
    lines = [(0, found) for found in LINE.findall(before)]
    lines += [(1, found) for found in LINE.findall(window)]
    lines += [(2, found) for found in LINE.findall(after)]
    reports: list[Sent] = []
    under_way: tuple[int, str, int, int] | None = None
    for part, (what, kind, at_s, ticks_ms) in lines:
        if under_way is not None and (what == "sent" or (under_way[1], under_way[2]) == (kind, int(at_s))):
            waited_ms = int(ticks_ms) - under_way[3] if what == "acknowledged" else None
            if under_way[0] == 1:
                reports.append(Sent(under_way[1], under_way[2], waited_ms))
            under_way = None
        if what == "sent":
            under_way = (part, kind, int(at_s), int(ticks_ms))
    if under_way is not None and under_way[0] == 1:
        reports.append(Sent(under_way[1], under_way[2], None))
    return reports


def percentile(values: Sequence[int], percent: float) -> int:
    """The smallest of `values` that is not below `percent` of them (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(pid: int) -> dict[str, float]:
    """Resident (`rss`) and proportional (`pss`) memory of a process in MB."""
    found = re.findall(r"^(Rss|Pss): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return {name.lower(): round(int(kb) / 1024, 1) for name, kb in found}


@dataclass
class Fleet:
    """A backend and its lamps, all verified."""

    backend: Backend
    api: Api
    lamps: list[Lamp]
    identifiers: dict[str, int]

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far of the backend and of all lamps together."""
        return cpu_s(_pid(self.backend)), sum(cpu_s(_pid(lamp)) for lamp in self.lamps)

    def stored(self, lamp: Lamp) -> set[int]:
        """The seconds for which the database holds a reading of a lamp."""
        times = city.telemetry_times(self.api, self.identifiers[lamp.pole.endpoint])
        return {int(datetime.fromisoformat(at).timestamp()) for at in times}


def _pid(process: Backend | Lamp) -> int:
    pid = process.pid
    if pid is None:
        raise BackendFailed(
            "a process of the fleet has ended before its time: run fewer --lamps and look at `streetlight demo`"
        )
    return pid


def settings_of(pole: Pole, interval_s: int) -> dict[str, object]:
    """Start values as provisioning writes them."""
    return {
        "latitude_e6": round(pole.latitude * 1_000_000),
        "longitude_e6": round(pole.longitude * 1_000_000),
        "nominal_power_w": city.NOMINAL_W,
        "report_interval_s": interval_s,
        "registration_jitter_s": JITTER_S,
    }


@contextmanager
def fleet(directory: Path, count: int, interval_s: int) -> Iterator[Fleet]:
    """A fleet that has settled; raises BackendFailed when it does not. Ends every process that it started."""
    http_port, coap_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    backend = Backend(directory, http_port, coap_port)
    lamps: list[Lamp] = []
    try:
        image = vm.build_image(directory)
        backend.start()
        api = Api(backend.url, backend.command("token", "create", "--name", "fleet", "--role", "admin").strip())
        poles = plan(count)
        identifiers = city.enrol(api, poles)
        schedule = city.plan_lighting(api, poles, identifiers)
        physics: dict[str, object] = {"rtc_rate": 1, "nominal_w": city.NOMINAL_W, "faults": []}
        for pole in poles:
            server, settings = ("127.0.0.1", coap_port), settings_of(pole, interval_s)
            lamp = Lamp(pole, directory / pole.mac.hex(), image, server, physics, settings)
            lamps.append(lamp)
            lamp.power_on()
            time.sleep(POWER_EACH_S)
        running = Fleet(backend, api, lamps, identifiers)
        settle(running, schedule)
        yield running
    finally:
        for lamp in lamps:
            lamp.power_off()
        backend.stop()


def free_port(kind: socket.SocketKind) -> int:
    """A port of loopback that nobody holds, below those that the system gives to the lamps' own sockets."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def settle(running: Fleet, schedule: int) -> None:
    """Wait until every lamp holds its schedule; raises BackendFailed with the log of one that does not."""
    deadline = time.monotonic() + SETTLE_S
    missing: list[Lamp] = running.lamps
    while time.monotonic() < deadline:
        try:
            states = city.verified(running.api, schedule)
        except httpx.TransportError:
            continue  # a host that is short of time while its lamps start
        missing = [lamp for lamp in running.lamps if not states.get(running.identifiers[lamp.pole.endpoint])]
        if not missing:
            return
        time.sleep(1)
    raise BackendFailed(
        f"{len(missing)} of {len(running.lamps)} lamps were not verified within {SETTLE_S:.0f} s; the log of one:\n"
        f"{missing[0].log()[-2000:]}\nand of the backend:\n{running.backend.log_tail()}"
    )


def measure(running: Fleet, seconds: float) -> tuple[list[Books], tuple[float, float]]:
    """What each lamp sent in a window of `seconds`, and the CPU seconds of the backend and of all lamps in it."""
    begins = [lamp.log_file.stat().st_size for lamp in running.lamps]
    before = running.cpu()
    time.sleep(seconds)
    after = running.cpu()
    ends = [lamp.log_file.stat().st_size for lamp in running.lamps]
    deadline = time.monotonic() + DRAIN_S
    while True:
        logs = [lamp.log_file.read_bytes() for lamp in running.lamps]
        parts = [
            [part.decode("utf-8", "replace") for part in (log[:begin], log[begin:end], log[end:])]
            for log, begin, end in zip(logs, begins, ends, strict=True)
        ]
        books = [Books(pair(*part)) for part in parts]
        if time.monotonic() > deadline or all(sent.waited_ms is not None for one in books for sent in one.reports):
            break
        time.sleep(0.5)
    for lamp, one in zip(running.lamps, books, strict=True):
        held = running.stored(lamp)
        one.stored = sum(
            sent.waited_ms is not None and (sent.kind != "telemetry" or sent.at_s in held) for sent in one.reports
        )
    return books, (after[0] - before[0], after[1] - before[1])


def tell(running: Fleet, books: list[Books], cpu: tuple[float, float], seconds: float) -> dict[str, Any]:
    """Print what was measured; the same as data."""
    reports = [sent for one in books for sent in one.reports]
    waits = [sent.waited_ms for sent in reports if sent.waited_ms is not None]
    lamp = running.lamps[len(running.lamps) // 2]
    each = 100 * cpu[1] / seconds / len(running.lamps)
    numbers: dict[str, Any] = {
        "lamps": len(running.lamps),
        "seconds": seconds,
        "sent": len(reports),
        "acknowledged": len(waits),
        "stored": sum(one.stored for one in books),
        "lost": sum(one.lost for one in books),
        "fewest_of_a_lamp": min(len(one.reports) for one in books),
        "ms": {name: percentile(waits, share) for name, share in (("p50", 50), ("p95", 95), ("p99", 99), ("max", 100))},
        "mean_ms": round(statistics.fmean(waits), 1) if waits else 0,
        "backend_cpu_s": round(cpu[0], 2),
        "lamps_cpu_s": round(cpu[1], 2),
        "lamp_cpu_percent": round(each, 3),
        "backend_mb": memory_mb(_pid(running.backend)),
        "lamp_mb": memory_mb(_pid(lamp)),
        "restarts": sum(one.resets + one.watchdog_bites + len(one.exit_codes) for one in running.lamps),
    }
    ms, backend, one = numbers["ms"], numbers["backend_mb"], numbers["lamp_mb"]
    print(
        f"reports: {numbers['sent']} sent, {numbers['acknowledged']} acknowledged, {numbers['stored']} stored, "
        f"{numbers['lost']} lost; the quietest lamp sent {numbers['fewest_of_a_lamp']}"
    )
    print(f"acknowledgement in ms: {ms} (limit: p99 below {LIMIT_MS})")
    print(
        f"CPU: backend {cpu[0]:.1f} s ({100 * cpu[0] / seconds:.1f} % of a core), all lamps {cpu[1]:.1f} s "
        f"({each:.2f} % of a core each); load of the machine {os.getloadavg()[0]:.1f}"
    )
    print(f"memory in MB: backend {backend}, a lamp {one}; lamps restarted: {numbers['restarts']}")
    return numbers


def main() -> int:
    """Print the measurement and a line of JSON; 0 when nothing was lost and p99 holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--lamps", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--interval", type=int, default=limits.REPORT_INTERVAL_MIN_S, help="seconds between reports")
    chosen = parser.parse_args()
    # Ended from outside it ends its processes as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        begin = time.monotonic()
        try:
            with fleet(Path(folder), chosen.lamps, chosen.interval) as running:
                print(
                    f"{chosen.lamps} lamps registered and verified after {time.monotonic() - begin:.0f} s; now "
                    f"{chosen.minutes:g} minutes with a report each {chosen.interval} s",
                    flush=True,
                )
                time.sleep(min(30, chosen.interval))  # each lamp has drawn its phase and found its rhythm
                seconds = chosen.minutes * 60
                numbers = tell(running, *measure(running, seconds), seconds)
        except (BackendFailed, vm.MissingVm) as error:
            print(f"the fleet did not run: {error}")
            return 1
    print(json.dumps(numbers))
    return 0 if numbers["sent"] and not numbers["lost"] and numbers["ms"]["p99"] < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
