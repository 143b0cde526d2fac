"""Messages that were recorded, changed or made up, on the way to a true lamp and to a true backend.

The relay stands where an attacker would: on the path, able to see, repeat, change and invent datagrams, without keys.
Sources: RFC 8613 sections 7.4 (replay), 8.2 and 8.4 (what is refused, and how), Appendix B.1.2 (Echo).
"""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiocoap import CON, Message
from aiocoap.message import Direction
from aiocoap.numbers.codes import Code

from contract.limits import SERVER_ID
from tests.system.relay import Datagram, with_new_mid
from tests.system.town import Town, running_town
from tests.system.waiting import until

SEED = 8613
LARGE = 120
"""Bytes: a report is longer, everything else that a lamp of this town says by itself is shorter."""


@pytest.fixture(scope="module")
def quiet(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One lamp at 80 %, with the relay between it and the backend."""
    with running_town(tmp_path_factory.mktemp("quiet"), image, lamps=1, relayed=True) as running:
        until(lambda: running.acknowledged(0), 10, "the introduction is stored")
        yield running


@pytest.fixture(autouse=True)
def as_before(quiet: Town) -> Iterator[None]:
    """After each test the network is honest and no override is left, whatever became of the test."""
    yield
    quiet.relay.change = lambda datagram: datagram.data
    for override in quiet.api.get("/overrides", active=True)["items"]:
        quiet.cancel(override["id"], 0)
    quiet.shines(0, 80)


def plain(code: Code, path: str, payload: bytes = b"", option: bytes | None = None) -> bytes:
    """A confirmable request as anybody can write it."""
    message = Message(code=code, uri_path=tuple(part for part in path.split("/") if part), payload=payload)
    if option is not None:
        message.opt.oscore = option
    message.mtype, message.mid, message.token = CON, random.randrange(0x10000), b"x"
    message.direction = Direction.OUTGOING
    return bytes(message.encode())


def flipped(data: bytes) -> bytes:
    """The message with one bit of its last byte, which is in the tag, the other way round."""
    return data[:-1] + bytes([data[-1] ^ 1])


def edges(town: Town) -> int:
    return len(town.edges(0))


def obeys(town: Town) -> None:
    """The lamp takes a command and its end, so that both sides hear each other."""
    override = town.override(33, 0, duration_s=600)
    town.shines(0, 33, 40)
    town.becomes(override, 0, "executed", 40)
    town.cancel(override, 0)
    town.shines(0, 80)


def recorded_commands(town: Town) -> list[bytes]:
    """The backend's requests of one override and of its cancellation, as they went over the air."""
    before = len(town.relay.seen)
    obeys(town)
    return [datagram.data for datagram in town.relay.seen[before:] if not datagram.up and datagram.is_request]


def test_the_lamp_executes_no_replayed_command(quiet: Town) -> None:
    commands = recorded_commands(quiet)
    assert len(commands) >= 3  # the override, a look at the light, its end
    before, log = edges(quiet), quiet.lamps[0].log().count("rung=override")
    for data in commands:
        answer = quiet.relay.ask_lamp(with_new_mid(data))
        assert (answer.code, answer.payload) == (Code.UNAUTHORIZED, b"Replay detected")
    for data in commands:
        # Under its old message id it is a retransmission: answered from memory, executed no second time.
        assert quiet.relay.ask_lamp(data).code in (Code.CHANGED, Code.CONTENT)
    assert edges(quiet) == before and quiet.level(0) == 80
    assert quiet.lamps[0].log().count("rung=override") == log
    obeys(quiet)


def test_a_lamp_that_restarted_and_forgot_its_window_executes_no_replayed_command_either(quiet: Town) -> None:
    commands = recorded_commands(quiet)
    quiet.lamps[0].power_off()
    quiet.relay.forget()
    # Nothing of the backend's comes through, so that the lamp's window is as empty as it can be.
    quiet.relay.change = lambda datagram: datagram.data if datagram.up or not datagram.is_request else None
    begun_ns = quiet.power_on(0)
    quiet.shines(0, 80)
    for data in commands:
        answer = quiet.relay.ask_lamp(with_new_mid(data))
        assert answer.opt.oscore is not None, "it proves that it holds the key, and asks whether this is fresh"
    quiet.relay.change = lambda datagram: datagram.data
    levels = {edge.level for edge in quiet.edges(0) if edge.at_ns > begun_ns}
    assert 33 not in levels and quiet.level(0) == 80
    obeys(quiet)


def test_the_backend_executes_no_replayed_report(quiet: Town) -> None:
    requests = [datagram.data for datagram in quiet.relay.seen if datagram.up and datagram.is_request]
    stored = quiet.stored(0)
    for data in requests[-20:]:
        answer = quiet.relay.ask_backend(with_new_mid(data))
        assert (answer.code, answer.payload) == (Code.UNAUTHORIZED, b"Replay detected")
    assert quiet.stored(0) == stored
    obeys(quiet)


def test_the_lamp_refuses_a_command_that_was_changed_on_its_way_and_takes_the_true_one(quiet: Town) -> None:
    changed: list[Datagram] = []

    def change(datagram: Datagram) -> bytes:
        if datagram.up or not datagram.is_request:
            return datagram.data
        changed.append(datagram)
        return flipped(datagram.data)

    before = edges(quiet)
    quiet.relay.change = change
    override = quiet.override(22, 0, duration_s=600)
    until(lambda: changed, 10, "the command is on its way")
    answer = until(lambda: _answer_to(quiet, changed[0]), 10, "the lamp answers")
    assert (answer.code, answer.payload) == (Code.BAD_REQUEST, b"Decryption failed")
    until(lambda: quiet.outcome(override, 0)["state"] == "accepted", 10, "the backend knows that it was not heard")
    assert edges(quiet) == before
    quiet.relay.change = lambda datagram: datagram.data
    # The lamp's next sign of life makes the backend try again.
    quiet.shines(0, 22, 20)
    quiet.becomes(override, 0, "executed")
    quiet.cancel(override, 0)
    quiet.shines(0, 80)


def _answer_to(town: Town, request: Datagram) -> Message | None:
    for datagram in town.relay.seen:
        if datagram.up and datagram.kind == 2 and datagram.mid == request.mid and datagram.data[1]:
            return Message.decode(datagram.data)
    return None


def test_the_backend_stores_nothing_of_a_report_that_was_changed_and_loses_none_of_it(quiet: Town) -> None:
    changed: list[Datagram] = []

    def change(datagram: Datagram) -> bytes:
        if not datagram.up or not datagram.is_request or len(datagram.data) < LARGE:
            return datagram.data
        changed.append(datagram)
        return flipped(datagram.data)

    until(lambda: quiet.reported(0) == quiet.acknowledged(0), 10, "nothing is under way")
    stored, acknowledged = quiet.stored(0), len(quiet.acknowledged(0))
    quiet.relay.change = change
    override = quiet.override(44, 0, duration_s=600)
    quiet.becomes(override, 0, "executed")
    # A lamp believes in the open only what is repeated, and gives a report up at the third refusal: one time more.
    until(lambda: len({datagram.data for datagram in changed}) >= 7, 40, "the report was changed seven times")
    assert quiet.stored(0) == stored and len(quiet.acknowledged(0)) == acknowledged
    quiet.relay.change = lambda datagram: datagram.data
    until(lambda: len(quiet.acknowledged(0)) > acknowledged, 30, "the true report is acknowledged")
    quiet.cancel(override, 0)
    quiet.shines(0, 80)
    assert set(quiet.acknowledged(0)) <= quiet.stored(0)
    assert quiet.state(0)["state"]["reports_dropped"] == 0


@pytest.mark.parametrize("side", ["lamp", "backend"])
@pytest.mark.parametrize(
    "code, path",
    [
        (Code.GET, "/3/0"),
        (Code.GET, "/.well-known/core"),
        (Code.GET, "/.well-known/edhoc"),
        (Code.PUT, "/3416/0/1"),
        (Code.iPATCH, "/"),
        (Code.POST, "/rd"),
        (Code.POST, "/dp"),
        (Code.GET, "/time"),
        (Code.DELETE, "/3452/0"),
    ],
)
def test_an_unprotected_request_is_refused(quiet: Town, side: str, code: Code, path: str) -> None:
    before = edges(quiet)
    ask = quiet.relay.ask_lamp if side == "lamp" else quiet.relay.ask_backend
    payload = b"" if code in (Code.GET, Code.DELETE) else b"0"
    assert ask(plain(code, path, payload)).code == Code.UNAUTHORIZED
    assert edges(quiet) == before and quiet.level(0) == 80


@pytest.mark.parametrize("side", ["lamp", "backend"])
def test_a_key_id_that_nobody_has_is_refused(quiet: Town, side: str) -> None:
    ask = quiet.relay.ask_lamp if side == "lamp" else quiet.relay.ask_backend
    answer = ask(plain(Code.POST, "/", random.randbytes(24), b"\x09\x05" + b"nobody"))
    assert (answer.code, answer.payload) == (Code.UNAUTHORIZED, b"Security context not found")


@pytest.mark.parametrize("side", ["lamp", "backend"])
def test_the_right_key_id_without_the_key_is_refused(quiet: Town, side: str) -> None:
    lamp_id = quiet.poles[0].mac
    ask, kid = (quiet.relay.ask_lamp, SERVER_ID) if side == "lamp" else (quiet.relay.ask_backend, lamp_id)
    answer = ask(plain(Code.POST, "/", random.randbytes(24), b"\x0a\xff\xfe" + kid))
    assert (answer.code, answer.payload) == (Code.BAD_REQUEST, b"Decryption failed")
    # A sequence number far ahead that was not proven must not have moved the window.
    obeys(quiet)


def garbage(count: int) -> Iterator[bytes]:
    """Empty datagrams, noise, and noise that begins like CoAP or like OSCORE."""
    source = random.Random(SEED)
    for number in range(count):
        noise = source.randbytes(source.randrange(0, 400))
        yield (b"", noise, b"\x40\x02" + noise, b"\x44\x02\x00\x01tokn\x99\x09\x00" + noise, b"\x70")[number % 5]


def test_neither_empty_datagrams_nor_a_burst_of_garbage_deafen_the_lamp(quiet: Town) -> None:
    before = edges(quiet)
    for data in garbage(300):
        quiet.relay.tell_lamp(data)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for data in garbage(300):
            stranger.sendto(data, quiet.relay.lamp)
    quiet.relay.tell_lamp(b"")
    assert edges(quiet) == before
    obeys(quiet)
    assert quiet.lamps[0].exit_codes == [] and not quiet.lamps[0].watchdog_bites


def test_neither_empty_datagrams_nor_a_burst_of_garbage_deafen_the_backend(quiet: Town) -> None:
    for data in garbage(300):
        quiet.relay.tell_backend(data)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for data in garbage(300):
            stranger.sendto(data, ("127.0.0.1", quiet.coap_port))
    assert quiet.api.get("/health")["coap"] == "ok"
    obeys(quiet)


def test_no_sequence_number_is_used_for_two_messages_and_no_attack_was_a_fault(quiet: Town) -> None:
    used: dict[tuple[bool, bytes], bytes] = {}
    for datagram in quiet.relay.seen:
        if datagram.is_request and datagram.up:
            message = Message.decode(datagram.data)
            if message.opt.oscore is not None:
                assert used.setdefault((datagram.up, message.opt.oscore), message.payload) == message.payload
    assert len(used) > 20
    assert quiet.faults(0) == []
