"""The black-start drill with true lamps: the firmware on the VM, one process each, all given power in one second.

They come from the factory: no lamp holds a schedule, so that each has it written and proves it. The jitter is the
firmware's own. An acknowledgement takes from a lamp's line `report sent` to `report acknowledged`, by its own ticks.
"""

import json
import os
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from contract import limits
from hil.street import city, vm
from hil.street.backend import Api, Backend, BackendFailed
from hil.street.lamp import Lamp
from hil.street.plan import plan
from tests.bench.fleet import LINE, cpu_s, free_port, pair, settings_of

REGISTERED_WITHIN_S = 600
SLOWEST_MS = 5000
FIRST_MINUTE_MS = 60_000
# After it is quiet the reports go on: what is slow after the first minute must be seen.
AT_LEAST_S = 150
REPORT_INTERVAL_S = 30
_LOOK_S = 2.0


@dataclass
class Course:
    """How far the lamps are; times in seconds since the power came, None: not yet."""

    lamps: int
    registered_s: float | None = None
    verified_s: float | None = None
    quiet_s: float | None = None
    peak_load: float = 0.0
    slowest_ms: int = 0
    figures: dict[str, Any] = field(default_factory=dict)

    def look(self, at_s: float, logs: list[str], verified: int) -> None:
        """Note what is reached at `at_s`, by the lamps' logs and the number of verified schedules."""
        registered = sum("registration registered" in log for log in logs)
        waiting = sum(is_waiting(log) for log in logs)
        self.peak_load = max(self.peak_load, os.getloadavg()[0])
        if self.registered_s is None and registered == self.lamps:
            self.registered_s = at_s
        if self.verified_s is None and verified == self.lamps:
            self.verified_s = at_s
        if self.quiet_s is None and self.registered_s is not None and self.verified_s is not None and not waiting:
            self.quiet_s = at_s
        print(f"{at_s:6.1f} s  registered {registered:4}  verified {verified:4}  unanswered {waiting:4}", flush=True)

    def faults(self) -> list[str]:
        """Why the drill failed; empty when it did not."""
        found = []
        if self.registered_s is None or self.registered_s > REGISTERED_WITHIN_S:
            found.append(f"not all registered within {REGISTERED_WITHIN_S} s")
        if self.quiet_s is None:
            found.append("not every schedule verified and every report acknowledged")
        if self.slowest_ms > SLOWEST_MS:
            found.append(f"an acknowledgement after the first minute took {self.slowest_ms / 1000:.1f} s")
        return found


def is_waiting(log: str) -> bool:
    """Whether a lamp has said nothing yet, or its last report has no acknowledgement."""
    lines = LINE.findall(log)
    return not lines or lines[-1][0] == "sent"


def slowest_ms(log: str) -> int:
    """The longest time that a report waited which was sent after the lamp's first minute; 0 without one."""
    late = [line.group(0) for line in LINE.finditer(log) if int(line.group(4)) > FIRST_MINUTE_MS]
    waits = [sent.waited_ms for sent in pair("", "\n".join(late), "") if sent.waited_ms is not None]
    return max(waits, default=0)


def drill(lamps: int, seconds: int) -> Course:
    """Run it with `lamps` processes; ends when they are quiet, not before AT_LEAST_S, or after
    `seconds`. Raises BackendFailed, MissingVm."""
    with tempfile.TemporaryDirectory(prefix="storm-true-") as folder:
        directory = Path(folder)
        backend = Backend(directory, free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM))
        running: list[Lamp] = []
        try:
            image = vm.build_image(directory)
            backend.start()
            token = backend.command("token", "create", "--name", "storm", "--role", "admin").strip()
            api = Api(backend.url, token)
            poles = plan(lamps)
            schedule = city.plan_lighting(api, poles, city.enrol(api, poles))
            for pole in poles:
                settings = settings_of(pole, REPORT_INTERVAL_S)
                settings["registration_jitter_s"] = limits.REGISTRATION_JITTER_S
                physics: dict[str, object] = {"rtc_rate": 1, "nominal_w": city.NOMINAL_W, "faults": []}
                server = ("127.0.0.1", backend.coap_port)
                running.append(Lamp(pole, directory / pole.mac.hex(), image, server, physics, settings))
            return _storm(backend, api, running, schedule, seconds)
        finally:
            for lamp in running:
                lamp.power_off()
            backend.stop()


def _storm(backend: Backend, api: Api, lamps: list[Lamp], schedule: int, seconds: int) -> Course:
    course = Course(len(lamps))
    assert backend.pid is not None
    before_s, begin_s = cpu_s(backend.pid), time.monotonic()
    for lamp in lamps:
        lamp.power_on()
    print(f"{len(lamps)} lamps given power within {time.monotonic() - begin_s:.1f} s", flush=True)
    while (at_s := time.monotonic() - begin_s) < seconds and (course.quiet_s is None or at_s < AT_LEAST_S):
        time.sleep(_LOOK_S)
        try:
            verified = sum(city.verified(api, schedule).values())
        except (BackendFailed, httpx.TransportError) as error:
            print(f"the API did not answer: {error}", flush=True)
            continue
        course.look(time.monotonic() - begin_s, [lamp.log() for lamp in lamps], verified)
    course.slowest_ms = max(slowest_ms(lamp.log()) for lamp in lamps)
    course.figures = {
        "backend_cpu_s": round(cpu_s(backend.pid) - before_s, 1),
        "lamps_cpu_s": round(sum(cpu_s(lamp.pid) for lamp in lamps if lamp.pid is not None), 1),
        "restarts": sum(lamp.resets + lamp.watchdog_bites + len(lamp.exit_codes) for lamp in lamps),
        "sent_away": sum("registration busy" in lamp.log() for lamp in lamps),
    }
    return course


def main(lamps: int, seconds: int) -> int:
    """Print the course of the drill and its figures; 0 when it passed."""
    # Ended from outside it ends its processes as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        course = drill(lamps, seconds)
    except (BackendFailed, vm.MissingVm) as error:
        print(f"the drill did not run: {error}")
        return 1
    faults = course.faults()
    print(json.dumps({**vars(course), "faults": faults}))
    for fault in faults:
        print(f"FAILED: {fault}")
    return 1 if faults else 0
