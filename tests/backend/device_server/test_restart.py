"""What a restart of the server keeps: registrations, liveness, keys and sequence numbers."""

import pytest
from aiocoap import oscore
from aiocoap.numbers.codes import Code
from sqlalchemy import select

from backend.device_server import repository
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import ENDPOINT, Context


def reserved(database):
    with database.reading() as connection:
        return connection.execute(select(repository.credentials.c.ssn_reserved)).scalar()


async def test_a_restart_costs_one_round_trip_and_no_liveness(any_database, make_server, make_lamp, clock):
    server = await make_server(database=any_database)
    enrol(server, any_database)
    port = server.port
    lamp = await make_lamp(server, Context())
    location = "/" + "/".join((await lamp.register()).opt.location_path)
    clock.real += 30_000
    await lamp.request(Code.GET, "/time")
    await server.stop()

    clock.real += 10_000
    again = await make_server(database=any_database, port=port)
    (view,) = again.sessions.snapshot()
    assert (view.lamp_id, view.endpoint, view.lifetime_s, view.registered) == (7, ENDPOINT, 300, True)
    assert view.last_heard_real_ms == clock.real - 10_000, "as it was before the restart"
    assert (await lamp.request(Code.POST, location)).code == Code.CHANGED
    assert again.counters.echo_challenges == 1
    assert (await lamp.request(Code.GET, "/time")).code == Code.CONTENT
    assert again.counters.echo_challenges == 1


async def test_a_command_reaches_a_lamp_right_after_the_restart(make_server, database, make_lamp):
    server = await make_server()
    enrol(server, database)
    port = server.port
    context = Context()
    lamp = await make_lamp(server, context)
    await lamp.register()
    await server.stop()
    again = await make_server(port=port)
    lamp.tree.answer = lambda request: _text("40")
    assert await again.gateway.read(7, "/3416/0/1") == 40


def _text(words):
    from aiocoap import Message

    return Message(code=Code.CONTENT, payload=words.encode(), content_format=0)


async def test_sequence_numbers_are_reserved_in_chunks_and_never_return(make_server, database, make_lamp):
    used = []
    port = 0
    context = Context()
    lamp = None
    for _ in range(3):
        server = await make_server(sequence_chunk=4, port=port)
        port = server.port
        if lamp is None:
            enrol(server, database)
            lamp = await make_lamp(server, context)
        await lamp.register()
        lamp.tree.answer = lambda request: _text("40")
        for _ in range(5):
            await server.gateway.read(7, "/3416/0/1")
            used.append(server._contexts.find(context.sender_id).sender_sequence_number)
        assert reserved(database) >= used[-1]
        await server.stop()
    assert used == sorted(set(used)), "strictly increasing over restarts"
    assert reserved(database) % 4 == 0


async def test_a_context_without_reserved_numbers_draws_none(server, lamp):
    await lamp.register()
    context = server._contexts.find(Context().sender_id)
    context.limit = context.sender_sequence_number
    with pytest.raises(oscore.ContextUnavailable):
        context.new_sequence_number()
    context.post_seqnoincrease()
    # The Echo challenge needs a number of its own: it waits until more are reserved.
    context.recipient_replay_window = oscore.ReplayWindow(32, lambda: None)
    assert (await lamp.request(Code.GET, "/time")).code == Code.CONTENT
    assert context.remaining > 0


async def test_a_key_that_is_revoked_gets_no_more_numbers(server, lamp, database):
    await lamp.register()
    context = server._contexts.find(Context().sender_id)
    context.limit = context.sender_sequence_number
    with database.session(writes=True) as session:
        server.credentials.revoke(session, 7)
    with pytest.raises(oscore.ContextUnavailable, match="revoked"):
        await server._contexts.ensure_numbers(context)


async def test_keys_are_nowhere_in_words(server, lamp):
    await lamp.register()
    context = server._contexts.find(Context().sender_id)
    assert repr(context) == "<LampContext lamp=7 kid=112233>"


async def test_what_cannot_be_restored_is_passed_over(make_server, database):
    server = await make_server()
    enrol(server, database)
    await server.stop()
    row = {
        "lamp_id": 7,
        "location": "x",
        "active": False,
        "address": "nowhere",
        "lifetime_s": 300,
        "lwm2m_version": "1.1",
        "binding": "U",
        "objects": "<broken",
        "registered_real_ms": 1,
        "last_heard_real_ms": 2,
    }
    with database.writing() as connection:
        repository.save_registration(connection, row)
    again = await make_server()
    (view,) = again.sessions.snapshot()
    assert (view.registered, view.address, view.last_heard_real_ms) == (False, "", 2)


async def test_a_start_that_fails_leaves_nothing_behind(make_server, database):
    repository.registrations.drop(database.engine)
    with pytest.raises(Exception, match="device_registration"):
        await make_server()
    repository.registrations.create(database.engine)
    await make_server()
