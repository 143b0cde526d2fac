"""A key that is revoked ends at once: for messages that are under way in either direction, and for the next ones."""

import asyncio

import pytest
from aiocoap import error
from aiocoap.numbers.codes import Code
from sqlalchemy import select

from backend.device_server import repository
from backend.device_server.errors import LampUnreachable
from tests.backend.device_server.conftest import LAMP_ID, enrol
from tests.backend.device_server.peers import Context
from tests.backend.waiting import PATIENCE_S


def revoke(server, database):
    with database.session(writes=True) as session:
        server.credentials.revoke(session, LAMP_ID)


async def code_of(request):
    """The code of an answer; without protection it is an error of the lamp's."""
    try:
        return (await request).code
    except error.Error:
        return Code.UNAUTHORIZED
    except Exception as problem:  # aiocoap's NotAProtectedMessage is no Error
        return problem.plain_message.code


async def test_the_next_message_after_a_revocation_is_refused(server, database, lamp):
    assert (await lamp.register()).code == Code.CREATED
    assert (await lamp.report()).code == Code.CHANGED
    await asyncio.to_thread(revoke, server, database)
    assert await code_of(lamp.report()) == Code.UNAUTHORIZED
    assert await code_of(lamp.register()) == Code.UNAUTHORIZED
    assert not server.gateway.is_present(LAMP_ID)
    with database.reading() as connection:
        (row,) = connection.execute(select(repository.registrations)).mappings().all()
    assert not row["active"], "it is offline, and not only late"


async def test_a_registration_that_was_opened_before_the_revocation_is_not_stored(server, database, lamp, monkeypatch):
    assert (await lamp.report()).code == Code.CHANGED  # its key is loaded
    submit = server._writer.submit

    def overtaken(work, done):
        revoke(server, database)
        submit(work, done)

    monkeypatch.setattr(server._writer, "submit", overtaken)
    assert await code_of(lamp.register()) == Code.UNAUTHORIZED
    with database.reading() as connection:
        assert connection.execute(select(repository.registrations)).all() == []
    assert server.sessions.find(LAMP_ID) is None


async def test_a_report_that_was_opened_before_the_revocation_is_not_stored(make_server, database, make_lamp):
    stored = []
    server = await make_server([lambda connection, reports: stored.extend(reports)])
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    assert (await lamp.report()).code == Code.CHANGED
    report = server._writer.report

    def overtaken(*arguments):
        revoke(server, database)
        report(*arguments)

    server._writer.report = overtaken
    assert await code_of(lamp.report()) == Code.UNAUTHORIZED
    assert len(stored) == 1


async def test_a_command_that_waits_for_the_lamp_ends_with_its_key(server, database, lamp):
    heard, never = asyncio.Event(), asyncio.Event()

    async def keep_silent(request):
        heard.set()
        await never.wait()

    assert (await lamp.register()).code == Code.CREATED
    lamp.tree.render = keep_silent
    waiting = asyncio.create_task(server.gateway.read(LAMP_ID, "/3/0/0"))
    await heard.wait()
    await asyncio.to_thread(revoke, server, database)
    with pytest.raises(LampUnreachable, match="key was revoked"):
        await asyncio.wait_for(waiting, PATIENCE_S)
    with pytest.raises(LampUnreachable, match="revoked"):
        await server.gateway.read(LAMP_ID, "/3/0/0")
