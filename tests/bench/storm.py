"""`make bench-storm`: the black-start drill. N lamps get power in the same second; when is the city quiet again?

The backend is the true one (`streetlight serve`, SQLite), started just before, so that it knows no lamp by heart. The
lamps are packets (`storm_lamp`), or with `--true` the firmware on the VM (`storm_true`). All desired schedules are
pending before, so that "verified" is proven anew for every lamp; one lamp in twenty holds an old schedule and gets the
right one written. Fails when not all are registered within ten minutes, when one is not verified at the end, or when
an acknowledgement after the first minute takes more than five seconds.
"""

import argparse
import json
import multiprocessing
import os
import random
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx

from contract import limits
from hil.street.backend import Api, Backend, BackendFailed
from tests.bench import storm_city, storm_load, storm_true
from tests.bench.storm_lamp import Tally
from tests.bench.storm_true import REGISTERED_WITHIN_S, SLOWEST_MS

QUIET_TURNS = 5
_LAMPS_OF_A_PROCESS = 10_000
_OLD = "0" * 16
_ONE_OLD_IN = 20
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Outcome:
    """What a drill came to; times in seconds since the power came, None: never."""

    lamps: int
    registered_s: float | None = None
    verified_s: float | None = None
    quiet_s: float | None = None
    tally: Tally = field(default_factory=Tally)
    peak_load: float = 0.0
    peak_cpu_percent: float = 0.0
    server: dict[str, Any] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """Why the drill failed; empty when it did not."""
        found = []
        if self.registered_s is None or self.registered_s > REGISTERED_WITHIN_S:
            found.append(f"only {self.tally.registered} of {self.lamps} registered within {REGISTERED_WITHIN_S} s")
        if self.verified_s is None:
            found.append("not every schedule was verified")
        slow = [max(taken) for minute, taken in self.tally.latencies.items() if minute > 0]
        if slow and max(slow) > SLOWEST_MS:
            found.append(f"an acknowledgement after the first minute took {max(slow) / 1000:.1f} s")
        return found


def merge(tallies: list[Tally]) -> Tally:
    """The sum of what the processes saw."""
    total = Tally()
    for tally in tallies:
        for name, value in vars(tally).items():
            if name == "latencies":
                for minute, taken in value.items():
                    total.latencies.setdefault(minute, []).extend(taken)
            else:
                setattr(total, name, getattr(total, name) + value)
    return total


def percentile(values: list[int], share: float) -> int:
    """The value below which `share` (0..1) of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(tally: Tally) -> str:
    """Acknowledgements by minute."""
    lines = [f"{'minute':>6}{'answers':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"]
    for minute, taken in sorted(tally.latencies.items()):
        shares = [percentile(taken, share) for share in (0.5, 0.99)]
        lines.append(f"{minute + 1:>6}{len(taken):>10}{shares[0]:>9}{shares[1]:>9}{max(taken):>9}")
    return "\n".join(lines)


def process_figures(pid: int) -> dict[str, float]:
    """CPU seconds used and the highest resident memory of a process, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    peak_kb = int(status["VmHWM"].split()[0])
    return {"cpu_s": (int(fields[11]) + int(fields[12])) / _TICKS, "peak_rss_mb": round(peak_kb / 1024, 1)}


class Load:
    """The highest load so far: of the machine (one-minute average), of the backend (% of a core between two looks)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._at_s, self._cpu_s = time.monotonic(), process_figures(pid)["cpu_s"]
        self._load = self._percent = 0.0

    def peaks(self) -> tuple[float, float]:
        """Look, and tell both."""
        at_s, cpu_s = time.monotonic(), process_figures(self._pid)["cpu_s"]
        percent = 100 * (cpu_s - self._cpu_s) / max(at_s - self._at_s, 0.001)
        self._at_s, self._cpu_s = at_s, cpu_s
        self._load, self._percent = max(self._load, os.getloadavg()[0]), max(self._percent, percent)
        return round(self._load, 1), round(self._percent)


class Crowd:
    """The processes of modelled lamps."""

    def __init__(self, city: storm_city.City, port: int, seed: int, jitter_s: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        lamps = len(city.digests)
        count = max(1, -(-lamps // _LAMPS_OF_A_PROCESS))
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(count):
            indices = range(lamps * number // count, lamps * (number + 1) // count)
            wanted = [city.digests[index] for index in indices]
            held = [_OLD if index % _ONE_OLD_IN == 0 else digest for index, digest in zip(indices, wanted, strict=True)]
            ours, theirs = spawn.Pipe()
            orders = storm_load.Orders(indices, held, wanted, port, seed, jitter_s)
            process = spawn.Process(target=storm_load.run, args=(theirs, orders), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()
        self.pids = [process.pid for process in self._processes if process.pid is not None]
        self._latest = [Tally() for _ in self._pipes]

    def power_up(self) -> float:
        """Give all of them power at one moment, which is returned (monotonic seconds)."""
        begin_s = time.monotonic() + 0.5
        for pipe in self._pipes:
            pipe.send(begin_s)
        return begin_s

    def look(self) -> Tally:
        """The counts so far, without latencies."""
        for number, pipe in enumerate(self._pipes):
            while pipe.poll():
                self._latest[number] = pipe.recv()
        return merge(self._latest)

    def end(self) -> Tally:
        """Stop them; everything that they saw."""
        for pipe in self._pipes:
            pipe.send("end")
        tallies = []
        for pipe in self._pipes:
            while not (last := pipe.recv()).latencies and pipe.poll(5):
                pass
            tallies.append(last)
        for process in self._processes:
            process.join(10)
        return merge(tallies)


def drill(lamps: int, seconds: int, seed: int, jitter_s: int, directory: Path) -> Outcome:
    """Run it; ends when the city is quiet, or after `seconds`."""
    backend = Backend(directory, free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM))
    began = time.monotonic()
    city = storm_city.found(f"sqlite:///{directory / 'streetlight.db'}", lamps)
    print(f"city of {lamps} lamps founded in {time.monotonic() - began:.1f} s", flush=True)
    crowd = Crowd(city, backend.coap_port, seed, jitter_s)
    outcome = Outcome(lamps)
    try:
        backend.start()
        assert backend.pid is not None
        api = Api(backend.url, city.token)
        before = process_figures(backend.pid)
        begin_s = crowd.power_up()
        watch(outcome, crowd, api, city.schedule_id, begin_s, seconds, backend.pid)
        after = process_figures(backend.pid)
        outcome.server = {"cpu_s": round(after["cpu_s"] - before["cpu_s"], 1), "peak_rss_mb": after["peak_rss_mb"]}
        outcome.server["model_cpu_s"] = round(sum(process_figures(pid)["cpu_s"] for pid in crowd.pids), 1)
        outcome.tally = crowd.end()
        api.close()
    finally:
        backend.stop()
    outcome.server["counters"] = counters(backend.log_file)
    return outcome


def watch(
    outcome: Outcome, crowd: Crowd, api: Api, schedule_id: int, begin_s: float, seconds: int, backend_pid: int
) -> None:
    """Print how far the city is, and note when it got there, until it is quiet or the time is up."""
    slept_s = 2.0
    load = Load(backend_pid)
    while (at_s := time.monotonic() - begin_s) < seconds:
        time.sleep(slept_s)
        at_s = time.monotonic() - begin_s
        outcome.peak_load, outcome.peak_cpu_percent = load.peaks()
        tally = crowd.look()
        asked_s = time.monotonic()
        try:
            verified = api.get(f"/schedules/{schedule_id}")["lamps"].get("verified", 0)
        except (BackendFailed, httpx.TransportError) as error:
            print(f"{at_s:6.1f} s  registered {tally.registered:6}  the API did not answer: {error}", flush=True)
            continue
        api_ms = (time.monotonic() - asked_s) * 1000
        if outcome.registered_s is None and tally.registered == outcome.lamps:
            outcome.registered_s = at_s
        if outcome.verified_s is None and verified == outcome.lamps:
            outcome.verified_s = at_s
        print(
            f"{at_s:6.1f} s  registered {tally.registered:6}  verified {verified:6}  settled {tally.settled:6}  "
            f"repeats {tally.retransmitted:6}  5.03 {tally.busy:6}  silence {tally.unanswered:5}  API {api_ms:.0f} ms",
            flush=True,
        )
        if verified == tally.settled == outcome.lamps:
            outcome.quiet_s = at_s
            return


def counters(log_file: Path) -> dict[str, int]:
    """What the device server counted: the last thing that it logs."""
    for line in reversed(log_file.read_text(errors="replace").splitlines()):
        _, found, words = line.partition("coap stopped ")
        if found:
            return {name: int(value) for name, _, value in (word.partition("=") for word in words.split())}
    return {}


def free_port(kind: int) -> int:
    """A port of the loopback that nobody holds at this moment, below those that the lamps' sockets will get."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port from 20000 to 32000 is free: end what holds them (ss -lunp)")


def seconds_text(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f} s"


def tell(outcome: Outcome) -> None:
    """Print what came of it."""
    tally = outcome.tally
    print(table(tally))
    print(
        f"all registered: {seconds_text(outcome.registered_s)}, verified: {seconds_text(outcome.verified_s)}, "
        f"quiet: {seconds_text(outcome.quiet_s)}"
    )
    print(f"peak load: {outcome.peak_load} of the machine, the backend {outcome.peak_cpu_percent:.0f} % of a core")
    counts = {name: value for name, value in vars(tally).items() if name != "latencies"}
    print("lamps:  " + "  ".join(f"{name} {value}" for name, value in counts.items()))
    print("server: " + json.dumps(outcome.server))
    numbers = {"lamps": outcome.lamps, "registered_s": outcome.registered_s, "verified_s": outcome.verified_s}
    print(json.dumps({**numbers, "quiet_s": outcome.quiet_s, "faults": outcome.faults()}))


def main() -> int:
    """Print the course of the drill and its figures; 0 when it passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lamps", type=int, default=20_000)
    parser.add_argument("--true", type=int, metavar="N", help="N true lamps instead: the firmware, a process each")
    parser.add_argument("--seconds", type=int, default=660, help="the longest that is waited for quiet")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jitter", type=int, default=limits.REGISTRATION_JITTER_S, help="seconds, of each lamp")
    parser.add_argument("--keep", type=Path, help="an empty folder for the database and the log")
    chosen = parser.parse_args()
    if chosen.true is not None:
        if not 1 <= chosen.true <= 1000:
            parser.error("--true: 1 to 1000 processes")
        return storm_true.main(chosen.true, chosen.seconds)
    if not 1 <= chosen.lamps <= 28_000:
        parser.error("--lamps: 1 to 28000, as many as the loopback has ports")
    with tempfile.TemporaryDirectory(prefix="storm-") as temporary:
        directory = chosen.keep or Path(temporary)
        outcome = drill(chosen.lamps, chosen.seconds, chosen.seed, chosen.jitter, directory)
    tell(outcome)
    for fault in outcome.faults():
        print(f"FAILED: {fault}")
    return 1 if outcome.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
