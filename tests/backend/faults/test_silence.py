"""Communication lost is a pure function of last heard, lifetime and now; and its worker writes it down."""

from backend.clock import Clock
from backend.db import Database
from backend.device_server.sessions import SessionView
from backend.faults import service
from backend.faults.shapes import FaultQuery
from backend.faults.silence import CODE, Hearing, is_silent, verdict
from backend.faults.watch import SilenceWatch
from backend.lamps import service as lamps


def test_a_lamp_is_silent_only_after_its_lifetime() -> None:
    hearing = Hearing(1, 1000, 60)
    assert not is_silent(hearing, 0, 61_000)
    assert is_silent(hearing, 0, 61_001)
    assert not is_silent(Hearing(1, 0, 0), 0, 10**15), "a lifetime of 0 promises nothing"


def test_the_backends_own_absence_is_not_the_lamps_silence() -> None:
    hearing = Hearing(1, 1000, 60)
    restarted_ms = 10_000_000
    assert not is_silent(hearing, restarted_ms, restarted_ms + 60_000)
    assert is_silent(hearing, restarted_ms, restarted_ms + 60_001)


def test_a_lamp_is_raised_once_and_cleared_only_by_its_voice() -> None:
    silent, heard, fresh = Hearing(1, 0, 60), Hearing(2, 99_000, 60), Hearing(3, 99_000, 60)
    assert verdict([silent, heard, fresh], {2}, 0, 100_000) == ([1], [2])
    assert verdict([silent], {1}, 0, 100_000) == ([], [])
    assert verdict([], {1}, 0, 100_000) == ([], []), "a retired lamp says nothing"
    restored = Hearing(1, 50_000, 60)
    assert verdict([restored], {1}, 90_000, 100_000) == ([], []), "restored from the database is not heard"


def test_silence_during_planned_off_hours_is_no_fault() -> None:
    assert not is_silent(Hearing(1, 0, 60, supplied_since_ms=None), 0, 10**12)
    assert verdict([Hearing(1, 0, 60, supplied_since_ms=None)], set(), 0, 10**12) == ([], [])


def test_a_lamp_is_judged_again_a_lifetime_after_its_feeder_returned() -> None:
    returned_ms = 10**9
    hearing = Hearing(1, 0, 60, supplied_since_ms=returned_ms)
    assert not is_silent(hearing, 0, returned_ms + 60_000)
    assert is_silent(hearing, 0, returned_ms + 60_001)


def test_a_lost_lamp_is_not_cleared_by_the_plan_of_its_feeder() -> None:
    for supplied_since_ms in (None, 990_000):
        hearing = Hearing(1, 500_000, 60, supplied_since_ms)
        assert verdict([hearing], {1}, 0, 1_000_000) == ([], [])
    assert verdict([Hearing(1, 999_000, 60, None)], {1}, 0, 1_000_000) == ([], [1])


async def test_the_watch_raises_and_clears_in_lighting_time(database: Database) -> None:
    with database.session(writes=True) as session:
        place = {"latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC"}
        lamp = lamps.create(session, 0, {"endpoint": "urn:dev:mac:01", "name": "one", **place})
    assert lamp.id is not None
    real_ms, heard_ms, registered = 0, 0, True

    def sessions() -> list[SessionView]:
        assert lamp.id is not None
        return [SessionView(lamp.id, lamp.endpoint, registered, "", 60, "1.1", 0, heard_ms)]

    clock = Clock(
        rate=600, anchor_ns=0, anchor_utc_ms=10**12, monotonic_ns=lambda: real_ms * 10**6, utc_ms=lambda: real_ms
    )
    watch = SilenceWatch(database, sessions, clock)

    async def look() -> list[tuple[str, int, int | None]]:
        await watch.look()
        with database.session(writes=False) as session:
            items = service.listed(session, FaultQuery(cursor=None, limit=10, state="all")).items
        return [(item.name, item.raised_at, item.cleared_at) for item in items]

    real_ms = 60_000
    assert await look() == []
    real_ms = 61_000
    assert await look() == [("communication_lost", 10**12 + 61_000 * 600, None)]
    real_ms = 62_000
    assert len(await look()) == 1
    heard_ms = 62_500
    assert (await look())[0][2] == 10**12 + 62_000 * 600
    real_ms, registered = 500_000, False
    assert (await look())[0][2] is not None, "a planned stop is no silence"
    assert len(await look()) == 1
    assert CODE > 0
