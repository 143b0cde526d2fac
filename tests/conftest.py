"""What holds for every test, and which of them `make test` runs side by side."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# No test is timed: an example that took long shows a busy computer. What is fast or slow is shown by tests/bench.
settings.register_profile("streetlight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("streetlight")

STREETS, DESK, OTHERS = "streets", "desk", "others"
# Most of their time is that of true lamps, which they wait for: two cores carry all three groups at once.
GROUPS = {
    "tests/system/": STREETS,
    "tests/hil/test_planted_bugs.py": STREETS,
    "tests/hil/test_real_bench.py": DESK,
}
# The others look at no clock, and give way to lamps that do.
NICENESS = 5
GIVES_WAY = pytest.StashKey[bool]()


def group_of(nodeid: str) -> str:
    return next((group for place, group in GROUPS.items() if nodeid.startswith(place)), OTHERS)


class OneProcessAGroup(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneProcessAGroup:
    return OneProcessAGroup(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A process that has begun with the others gives way for good; all in one process is as before."""
    is_worker = hasattr(item.config, "workerinput")
    if is_worker and GIVES_WAY not in item.config.stash:
        item.config.stash[GIVES_WAY] = group_of(item.nodeid) == OTHERS
        if item.config.stash[GIVES_WAY]:
            os.nice(NICENESS)
