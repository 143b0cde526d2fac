"""Every check of the bench as a test; what it measures and by which limits stands in `hil.checks.table`."""

import pytest

from hil.measurement import Outcome
from hil.session import Session


@pytest.mark.timeout(0)
def test_bench(check: str, bench_session: Session) -> None:
    """Passed, or failed with the reasons; inconclusive is a failure too: nobody knows."""
    reason = bench_session.obstacles[check]
    if reason:
        pytest.skip(reason)
    wrong = [verdict for verdict in bench_session.result(check) if verdict.outcome is not Outcome.PASSED]
    assert not wrong, "\n".join(f"{verdict.check} {verdict.outcome}: {verdict.reason}" for verdict in wrong)
