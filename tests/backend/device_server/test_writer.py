import asyncio

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from backend.device_server.ports import Report
from backend.device_server.writer import Overloaded, Stopped, Writer, is_unavailable


@pytest.fixture
async def make_writer(database):
    writers = []

    def make(ingestors=(), **changes):
        options = {"group": 500, "linger_ms": 1, "waiting": 100, **changes}
        writers.append(Writer(database, ingestors, **options))
        writers[-1].start()
        return writers[-1]

    yield make
    for writer in writers:
        await writer.stop()


async def reported(writer, *lamp_ids):
    """The errors of reports of these lamps, in order."""
    futures = []
    for lamp_id in lamp_ids:
        future = asyncio.get_running_loop().create_future()
        writer.report(
            Report(lamp_id, 0, []), (lamp_id, 0, ""), lambda _, error, future=future: future.set_result(error)
        )
        futures.append(future)
    return await asyncio.gather(*futures)


async def test_what_arrives_together_is_one_transaction(make_writer):
    groups = []
    writer = make_writer([lambda connection, reports: groups.append([report.lamp_id for report in reports])])
    await asyncio.gather(writer.run(lambda connection: 1), reported(writer, *range(50)))
    await asyncio.gather(reported(writer, *range(50)))
    assert [lamp_id for group in groups for lamp_id in group] == [*range(50), *range(50)] and len(groups) < 20


async def test_a_group_has_a_limit(make_writer):
    groups = []
    writer = make_writer([lambda connection, reports: groups.append(len(reports))], group=3)
    assert await reported(writer, *range(10)) == [None] * 10
    assert max(groups) <= 3


async def test_work_returns_its_value_after_the_commit(make_writer):
    writer = make_writer()
    assert await writer.run(lambda connection: connection.exec_driver_sql("SELECT 5").scalar()) == 5
    with pytest.raises(ZeroDivisionError):
        await writer.run(lambda connection: 1 // 0)


async def test_one_that_fails_is_alone(make_writer):
    def ingest(connection, reports):
        if any(report.lamp_id == 3 for report in reports):
            raise IntegrityError("INSERT", {}, Exception("twice"))

    writer = make_writer([ingest], linger_ms=5)
    errors = await reported(writer, 1, 2, 3, 4)
    assert [type(error) for error in errors] == [type(None), type(None), IntegrityError, type(None)]


async def test_a_database_that_is_gone_fails_the_group_once(make_writer):
    calls = []

    def ingest(connection, reports):
        calls.append(len(reports))
        raise OperationalError("INSERT", {}, Exception("no server"))

    writer = make_writer([ingest])
    errors = await reported(writer, *range(20))
    assert all(is_unavailable(error) for error in errors)
    assert sum(calls) == 20, "nobody was tried a second time"


async def test_a_full_queue_is_told_at_once(make_writer):
    writer = make_writer(waiting=0)
    with pytest.raises(Overloaded, match="0 messages wait"):
        await writer.run(lambda connection: None)


async def test_a_caller_who_gave_up_is_passed_over(make_writer):
    writer = make_writer()
    waiting = asyncio.ensure_future(writer.run(lambda connection: 1))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await writer.run(lambda connection: 2) == 2


async def test_a_stopped_writer_takes_nothing(make_writer):
    writer = make_writer()
    await writer.stop()
    with pytest.raises(Stopped):
        await writer.run(lambda connection: None)
    await writer.stop()


def test_only_the_database_itself_counts_as_unavailable():
    lost = DBAPIError("SELECT", {}, Exception(), connection_invalidated=True)
    assert is_unavailable(lost) and is_unavailable(Stopped())
    assert not is_unavailable(IntegrityError("INSERT", {}, Exception())) and not is_unavailable(None)


async def test_an_answer_that_fails_does_not_keep_the_others_waiting(make_writer, caplog):
    writer = make_writer()

    def fail(value, error):
        raise RuntimeError("the answer is broken")

    writer.submit(lambda connection: 1, fail)
    assert await writer.run(lambda connection: 2) == 2
    assert "was not sent" in caplog.text
