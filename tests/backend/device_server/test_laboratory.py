"""The laboratory mode: without keys, the endpoint name identifies a lamp."""

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code

from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import ENDPOINT


@pytest.fixture
async def lab(make_server, database, caplog):
    server = await make_server(allow_insecure=True)
    enrol(server, database, sender_id=None, secret=None, salt=b"")
    assert "laboratory mode" in caplog.text
    return server


async def test_a_lamp_without_keys_registers_reports_and_is_read(lab, make_lamp):
    lamp = await make_lamp(lab)
    answer = await lamp.register()
    assert answer.code == Code.CREATED
    assert (await lamp.report()).code == Code.CHANGED
    assert (await lamp.request(Code.GET, "/time")).code == Code.CONTENT
    lamp.tree.answer = lambda request: Message(code=Code.CONTENT, payload=b"40", content_format=0)
    assert await lab.gateway.read(7, "/3416/0/1") == 40
    location = "/" + "/".join(answer.opt.location_path)
    assert (await lamp.request(Code.DELETE, location)).code == Code.DELETED
    assert (await lamp.report()).code == Code.UNAUTHORIZED


async def test_a_lamp_without_keys_keeps_its_session_over_a_restart(lab, make_server, make_lamp):
    lamp = await make_lamp(lab)
    await lamp.register()
    port = lab.port
    await lab.stop()
    again = await make_server(allow_insecure=True, port=port)
    assert (await lamp.report()).code == Code.CHANGED
    assert len(again.sessions) == 1


async def test_strangers_are_refused_even_there(lab, make_lamp):
    lamp = await make_lamp(lab)
    assert (await lamp.report()).code == Code.UNAUTHORIZED
    assert (await lamp.register("unknown")).code == Code.FORBIDDEN
    assert (await lamp.request(Code.POST, "/rd")).code == Code.BAD_REQUEST
    assert (await lamp.request(Code.POST, f"/rd?ep={ENDPOINT}&ep=x")).code == Code.BAD_REQUEST


async def test_a_large_datagram_is_refused_without_blocks(lab, make_raw):
    raw = await make_raw(lab)
    register = Message(code=Code.POST, uri_path=("rd",), uri_query=(f"ep={ENDPOINT}",), payload=b"x" * 4000)
    assert (await raw.ask(raw.encode(register))).code == Code.BAD_REQUEST


async def test_a_critical_option_is_refused_there_as_well(lab, make_raw):
    raw = await make_raw(lab)
    register = Message(code=Code.POST, uri_path=("rd",), uri_query=(f"ep={ENDPOINT}",), if_none_match=True)
    assert (await raw.ask(raw.encode(register))).code == Code.BAD_OPTION
