"""One run: every check in its scene, what it measured judged and written down as it comes.

Lanes are threads, each with scenes of its own; on a real bench there is one. A check in which the bench fails is
inconclusive and its scene is opened anew for those that follow: what it left behind is nobody else's trouble.
"""

import os
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from itertools import groupby

from hil.checks.table import LEVELS_ONLY, UPDATE, Check
from hil.effort import Effort
from hil.errors import BenchError
from hil.measurement import Measurement
from hil.report.recorder import Recorder
from hil.report.run import About, NotCarried, product_version
from hil.scene import Benches
from hil.street.backend import BackendFailed
from hil.verdict import Verdict, inconclusive, judge

Listener = Callable[[str, str], None]

# Of a lane that gives way: a third of the weight that the others have, and none of their first calls.
NICENESS = 5


def about(benches: Benches, effort: Effort) -> About:
    """After `benches.start`."""
    return About(
        id=uuid.uuid4().hex,
        started_ms=time.time_ns() // 1_000_000,
        bench=benches.name,
        is_simulated=benches.traits.is_simulated,
        is_quick=effort.is_quick,
        firmware_sha256=benches.firmware_sha256(),
        version=product_version(),
        instrument=benches.describe(),
        jitter_floor_s=benches.jitter_floor_s(),
        boards=benches.boards(),
    )


class Session:
    """`checks` as they were asked for: with `are_named` also those that take hours. `listen(check, event)` hears
    "begins", "ends" and "not carried" from any thread."""

    def __init__(
        self,
        benches: Benches,
        checks: Sequence[Check],
        effort: Effort,
        recorder: Recorder,
        are_named: bool = False,
        listen: Listener = lambda check, event: None,
    ) -> None:
        self._benches = benches
        self._effort = effort
        self._recorder = recorder
        self._listen = listen
        self._lock = threading.Lock()
        self._verdicts: dict[str, list[Verdict]] = {}
        self._done = {check.name: threading.Event() for check in checks}
        self._threads: list[threading.Thread] = []
        self._is_over = False
        self.obstacles = {check.name: check.obstacle(benches.traits, are_named) for check in checks}
        self._checks = [check for check in checks if not self.obstacles[check.name]]

    def start(self) -> None:
        """Begin; `result` waits for what one check finds, `finish` for all."""
        for name, reason in self.obstacles.items():
            if reason:
                self._omit(NotCarried(name, reason))
                self._done[name].set()
        if self._benches.traits.is_simulated and any(LEVELS_ONLY.check in check.measures for check in self._checks):
            self._omit(LEVELS_ONLY)
        if len(self._done) > 1:
            self._omit(UPDATE)
        lanes = sorted({check.lane for check in self._checks}) if self._benches.traits.is_simulated else [None]
        for lane in lanes:
            checks = [check for check in self._checks if lane is None or check.lane == lane]
            self._threads.append(threading.Thread(target=self._run_lane, args=(checks,), daemon=True))
        for thread in self._threads:
            thread.start()

    def result(self, name: str) -> list[Verdict]:
        """Waits until the check has ended; empty for one that is not carried."""
        self._done[name].wait()
        with self._lock:
            return list(self._verdicts.get(name, ()))

    def finish(self) -> None:
        """Waits for everything and closes the books."""
        for thread in self._threads:
            thread.join()
        self._recorder.end(time.time_ns() // 1_000_000)

    def abandon(self) -> None:
        """What is still under way is no part of this run any more."""
        with self._lock:
            self._is_over = True
        for done in self._done.values():
            done.set()

    def _omit(self, omitted: NotCarried) -> None:
        with self._lock:
            self._recorder.not_carried(omitted.check, omitted.reason)
        self._listen(omitted.check, "not carried")

    def _run_lane(self, checks: Sequence[Check]) -> None:
        if self._benches.traits.is_simulated:
            if all(check.gives_way for check in checks):
                _give_way()
            for name in checks[0].after:
                if name in self._done:
                    self._done[name].wait()
        for _, group in groupby(checks, key=lambda check: check.scene):
            waiting = list(group)
            while waiting and not self._is_over:
                self._run_scene(waiting)

    def _run_scene(self, waiting: list[Check]) -> None:
        """Takes checks from the list until it is empty or one has failed to measure."""
        check = waiting[0]
        try:
            with self._benches.open(check.scene) as bench:
                while waiting and not self._is_over:
                    check = waiting[0]
                    self._listen(check.name, "begins")
                    self._keep(check, check.procedure(bench, self._effort))
                    waiting.pop(0)
        except (BenchError, BackendFailed) as error:
            self._fail(waiting, check, _as_bench_error(error))
        except Exception as error:
            print_exc = "".join(traceback.format_exception(error))
            self._fail(waiting, check, BenchError(f"the check itself broke: {print_exc}", "report it with this text"))

    def _fail(self, waiting: list[Check], check: Check, error: BenchError) -> None:
        """A scene that fails to close has failed none of the checks that it carried."""
        if waiting and waiting[0] is check:
            waiting.pop(0)
            with self._lock:
                self._take(check, [inconclusive(name, error) for name in check.measures])
            self._end(check)

    def _keep(self, check: Check, measured: Sequence[Measurement]) -> None:
        # Judged before anything of it is written: what cannot be judged is no result.
        is_simulated, is_quick = self._benches.traits.is_simulated, self._effort.is_quick
        verdicts = [verdict for one in measured for verdict in judge(one, is_simulated, is_quick)]
        with self._lock:
            if self._is_over:
                return
            for measurement in measured:
                self._recorder.measurement(measurement)
            self._take(check, verdicts)
        self._end(check)

    def _take(self, check: Check, verdicts: list[Verdict]) -> None:
        if self._is_over:
            return
        for verdict in verdicts:
            self._recorder.verdict(verdict)
        self._verdicts[check.name] = verdicts

    def _end(self, check: Check) -> None:
        self._listen(check.name, "ends")
        self._done[check.name].set()


def _give_way() -> None:
    """On Linux this is for the calling thread alone, and for the threads and processes that come of it."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness, 19))


def _as_bench_error(error: Exception) -> BenchError:
    if isinstance(error, BenchError):
        return error
    return BenchError(str(error), "the log of the backend says more; it lies where --keep says")
