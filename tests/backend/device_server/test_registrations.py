from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.optiontypes import OpaqueOption
from sqlalchemy import select

from backend.device_server import repository
from contract.limits import SEEN_OPTION
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import ENDPOINT, OBJECTS, SECRET, Context
from tests.backend.waiting import until


def row(database):
    with database.reading() as connection:
        return connection.execute(select(repository.registrations)).mappings().one()


async def test_a_lamp_that_asks_is_told_when_it_is_seen_elsewhere(server, make_raw):
    context, told = Context(), []
    for _ in range(2):
        raw = await make_raw(server)
        for _ in range(2):
            message = Message(
                code=Code.POST, uri_path=("rd",), uri_query=(f"ep={ENDPOINT}", "lt=300", "lwm2m=1.1", "b=U")
            )
            message.opt.add_option(OpaqueOption(OptionNumber(SEEN_OPTION), b""))
            message.payload, message.opt.content_format = OBJECTS, 40
            answer = await raw.protected(context, message)
            assert answer.code == Code.CREATED
            (seen,) = answer.opt.get_option(OptionNumber(SEEN_OPTION))
            told.append(seen.value)
        update = Message(code=Code.POST, uri_path=answer.opt.location_path)
        assert not (await raw.protected(context, update)).opt.get_option(OptionNumber(SEEN_OPTION)), "it did not ask"
    assert [len(seen) for seen in told] == [4] * 4
    assert told[0] == told[1] != told[2] == told[3]


async def test_a_lamp_registers_updates_and_deregisters(any_database, make_server, make_lamp, clock):
    seen = []
    server = await make_server(on_check_in=lambda *what: seen.append(what), database=any_database)
    enrol(server, any_database)
    lamp = await make_lamp(server, Context())
    answer = await lamp.register()
    assert answer.code == Code.CREATED and answer.opt.location_path[0] == "rd"
    location = "/" + "/".join(answer.opt.location_path)
    stored = row(any_database)
    assert (stored["lamp_id"], stored["lifetime_s"], stored["lwm2m_version"], stored["active"]) == (7, 300, "1.1", True)
    assert stored["objects"] == OBJECTS.decode() and stored["last_heard_real_ms"] == clock.real

    clock.real += 60_000
    assert (await lamp.request(Code.POST, location)).code == Code.CHANGED
    (view,) = server.sessions.snapshot()
    assert (view.lamp_id, view.endpoint, view.registered, view.last_heard_real_ms) == (7, ENDPOINT, True, clock.real)
    assert row(any_database)["last_heard_real_ms"] == clock.real - 60_000, "a keep-alive writes nothing by itself"

    assert (await lamp.request(Code.POST, location + "?lt=60&b=UQ", OBJECTS, content_format=40)).code == Code.CHANGED
    assert (row(any_database)["lifetime_s"], row(any_database)["binding"]) == (60, "UQ")

    assert (await lamp.request(Code.DELETE, location)).code == Code.DELETED
    assert not row(any_database)["active"] and not server.sessions.snapshot()[0].registered
    assert (await lamp.request(Code.POST, location)).code == Code.NOT_FOUND
    assert seen == [(7, "register"), (7, "update"), (7, "update")]


async def test_a_lamp_that_registers_again_gets_a_new_location_and_keeps_one_row(lamp, server, database):
    first = (await lamp.register()).opt.location_path
    second = (await lamp.register(query="&lt=60&lwm2m=1.0")).opt.location_path
    assert first != second
    assert (await lamp.request(Code.POST, "/" + "/".join(first))).code == Code.NOT_FOUND
    assert row(database)["lwm2m_version"] == "1.0"


async def test_a_wrong_registration_is_refused_with_the_reason(lamp, server):
    answers = {
        "?ep=somebody-else": (Code.FORBIDDEN, b"another endpoint"),
        f"?ep={ENDPOINT}&lwm2m=1.2": (Code.PRECONDITION_FAILED, b"1.1"),
        f"?ep={ENDPOINT}&lt=soon": (Code.BAD_REQUEST, b"lt"),
        "": (Code.BAD_REQUEST, b"ep"),
    }
    for query, (code, reason) in answers.items():
        answer = await lamp.request(Code.POST, "/rd" + query, OBJECTS, content_format=40)
        assert answer.code == code and reason in answer.payload
    assert (await lamp.register(payload=b"</3416")).code == Code.BAD_REQUEST
    assert (await lamp.register(content_format=60)).code == Code.UNSUPPORTED_CONTENT_FORMAT
    assert server.counters.refused == 6 and server.counters.registrations == 0


async def test_a_large_registration_comes_in_blocks(lamp, server, database):
    objects = OBJECTS + b"".join(b",</3416/%d>" % number for number in range(1, 150))
    assert (await lamp.register(payload=objects)).code == Code.CREATED
    assert row(database)["objects"] == objects.decode()


async def test_nobody_updates_the_registration_of_another_lamp(server, lamp, database, make_lamp):
    location = "/" + "/".join((await lamp.register()).opt.location_path)
    enrol(server, database, 8, endpoint="other", sender_id=b"\x44", secret=SECRET)
    other = await make_lamp(server, Context(b"\x44"))
    assert (await other.request(Code.POST, location)).code == Code.NOT_FOUND
    assert (await other.request(Code.DELETE, location)).code == Code.NOT_FOUND


async def test_the_resources_are_few(lamp, server, clock):
    answer = await lamp.request(Code.GET, "/time")
    assert (answer.opt.content_format, answer.payload) == (60, b"\x1b" + clock.lighting.to_bytes(8, "big"))
    assert answer.opt.max_age == 0
    assert (await lamp.request(Code.GET, "/time", accept=0)).code == Code.NOT_ACCEPTABLE
    assert b"</rd>" in (await lamp.request(Code.GET, "/.well-known/core")).payload
    for path in ("/", "/rd/a/b", "/time/x", "/.well-known/core"):
        assert (await lamp.request(Code.POST, path)).code == Code.NOT_FOUND
    for code, path in ((Code.POST, "/time"), (Code.GET, "/rd"), (Code.GET, "/dp")):
        assert (await lamp.request(code, path)).code == Code.METHOD_NOT_ALLOWED
    # aiocoap's client never protects this one.
    assert (await lamp.request(Code.POST, "/.well-known/edhoc")).code == Code.UNAUTHORIZED
    location = "/" + "/".join((await lamp.register()).opt.location_path)
    assert (await lamp.request(Code.GET, location)).code == Code.METHOD_NOT_ALLOWED


async def test_an_unwritable_registration_is_not_acknowledged(make_server, database, make_lamp):
    server = await make_server()
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    await lamp.request(Code.GET, "/time")
    repository.registrations.drop(database.engine)
    answer = await lamp.register()
    assert answer.code == Code.SERVICE_UNAVAILABLE and answer.opt.max_age == 10
    assert server.counters.registrations == 0


async def test_a_failing_check_in_does_not_disturb_the_lamp(make_server, database, make_lamp, caplog):
    def fail(lamp_id, kind):
        raise RuntimeError("the queue of a domain is broken")

    server = await make_server(on_check_in=fail)
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    assert (await lamp.register()).code == Code.CREATED
    assert "check-in lamp_id=7 kind=register not taken" in caplog.text


async def test_last_heard_is_written_after_a_while_and_at_the_end(make_server, database, make_lamp, clock):
    server = await make_server(flush_interval_s=0.01)
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    await lamp.register()
    clock.real += 5_000
    await lamp.request(Code.GET, "/time")
    await until(lambda: row(database)["last_heard_real_ms"] == clock.real)
    clock.real += 5_000
    await lamp.request(Code.GET, "/time")
    await server.stop()
    assert row(database)["last_heard_real_ms"] == clock.real


async def test_last_heard_that_cannot_be_written_is_kept_for_the_next_time(server, lamp, clock, database, caplog):
    await lamp.register()
    clock.real += 5_000
    await lamp.request(Code.GET, "/time")
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE device_registration RENAME TO elsewhere")
    await server._flush()
    assert "last heard of 1 lamps not written" in caplog.text
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO device_registration")
    await server._flush()
    assert row(database)["last_heard_real_ms"] == clock.real
