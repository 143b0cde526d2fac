"""Loading keys while they change: nobody gets in with a key that was just revoked, and no context exists twice."""

import asyncio
import threading

import pytest
from sqlalchemy import update

from backend.device_server import repository
from tests.backend.device_server.conftest import LAMP_ID, enrol
from tests.backend.device_server.peers import SECRET, SENDER_ID
from tests.backend.waiting import until


@pytest.fixture
async def held(server):
    """The writer stands still until the event is set."""
    gate = threading.Event()
    server._writer.submit(lambda connection: gate.wait(5), lambda value, error: None)
    yield gate
    gate.set()


def change(database, **values):
    """Behind the server's back, as if between its two statements."""
    with database.writing() as connection:
        connection.execute(update(repository.credentials).values(**values))


async def looked_up(server):
    """Wait until the row was read and the reservation is queued."""
    await until(lambda: server._writer._queue)


async def test_a_key_is_loaded_once_for_all_who_ask(server):
    contexts = server._contexts
    loaded = await asyncio.gather(*[contexts.load(SENDER_ID) for _ in range(5)], contexts.load_lamp(LAMP_ID))
    assert len({id(context) for context in loaded}) == 1
    assert contexts.find(SENDER_ID) is loaded[0] and await contexts.load(SENDER_ID) is loaded[0]
    assert contexts.loading == 0


async def test_two_look_ups_of_one_lamp_make_one_context(server, held):
    contexts = server._contexts
    by_kid = asyncio.ensure_future(contexts.load(SENDER_ID))
    by_lamp = asyncio.ensure_future(contexts.load_lamp(LAMP_ID))
    await looked_up(server)
    held.set()
    assert await by_kid is await by_lamp


async def test_a_key_revoked_after_it_was_read_is_not_used(server, database):
    gate = threading.Event()
    reading = server._contexts._database.reading

    class Slow:
        def reading(self):
            gate.wait(5)
            return reading()

    server._contexts._database = Slow()
    loading = asyncio.ensure_future(server._contexts.load(SENDER_ID))
    await asyncio.sleep(0)
    change(database, revoked_real_ms=1)
    gate.set()
    assert await loading is None


async def test_a_key_revoked_between_reading_and_reserving_is_not_used(server, database, monkeypatch):
    reserve = repository.reserve_sequence_numbers

    def revoke_first(connection, *arguments):
        connection.execute(update(repository.credentials).values(revoked_real_ms=1))
        return reserve(connection, *arguments)

    monkeypatch.setattr(repository, "reserve_sequence_numbers", revoke_first)
    assert await server._contexts.load(SENDER_ID) is None


async def test_a_key_evicted_while_it_was_loaded_is_looked_up_again(server, database, monkeypatch):
    reserve = repository.reserve_sequence_numbers
    times = []

    def evict_once(connection, *arguments):
        start = reserve(connection, *arguments)
        times.append(start)
        if len(times) == 1:  # from another thread, as a domain's commit does
            connection.execute(update(repository.credentials).values(revoked_real_ms=1))
            server._contexts.evict(LAMP_ID)
        return start

    monkeypatch.setattr(repository, "reserve_sequence_numbers", evict_once)
    assert await server._contexts.load(SENDER_ID) is None
    assert len(times) == 1


async def test_a_lamp_without_keys_has_no_context(server, database):
    enrol(server, database, 8, endpoint="lab", sender_id=None, secret=None, salt=b"")
    assert await server._contexts.load_lamp(8) is None
    assert await server._contexts.load_lamp(99) is None


async def test_a_context_found_by_the_lamp_is_taken_for_its_kid(server, monkeypatch):
    contexts = server._contexts
    context = await contexts.load_lamp(LAMP_ID)
    contexts._by_kid.clear()
    assert await contexts.load(SENDER_ID) is context


async def test_numbers_are_extended_once_for_all_who_wait(server):
    context = await server._contexts.load(SENDER_ID)
    first = context.limit
    context.sender_sequence_number = context.limit
    await asyncio.gather(*[server._contexts.ensure_numbers(context) for _ in range(5)])
    assert (context.sender_sequence_number, context.remaining) == (first, server.settings.sequence_chunk)
    assert context.secret == SECRET
