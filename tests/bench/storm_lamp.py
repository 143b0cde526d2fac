"""A lamp as packets: the firmware's own registration core, and beside it only what the server sees of a lamp.

Power-up, registration after a jitter, three questions for the time, the report that the light follows the schedule, the
introduction, then telemetry by its phase and updates by its lifetime; confirmable messages are repeated as RFC 7252
section 4.2 says, for `firmware.lwm2m.uplink.PATIENCE_MS`. It answers what the schedules' delivery asks. Time is a
parameter; nothing here opens a socket.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import cbor2

from contract import limits
from contract.objects import lamp_status
from contract.senml import CBOR, LINK_FORMAT, SENML_CBOR
from firmware.coap import message as coap
from firmware.coap.errors import MessageError
from firmware.coap.message import ACK, CON, EMPTY, NON, RST, Message
from firmware.coap.tuning import Tuning
from firmware.lwm2m.registration import MAX_AGE_HIGH_S, Registration, Request
from firmware.lwm2m.sender import PAUSE_S
from firmware.lwm2m.timekeeper import AGAIN_MS, PERIOD_MS, QUESTIONS, SAMPLES
from firmware.lwm2m.uplink import MOMENT_MS, PATIENCE_MS
from tests.bench.load import keys_of
from tests.bench.storm_keys import Binding, Keys, Unreadable

LINKS = (
    '</>;ct="110 112";rt="oma.lwm2m",</1/0>,</3/0>,</4/0>,</5/0>,</6/0>,</3410>;ver=2.0,</3410/0>,</3415>;ver=2.0,'
    "</3415/0>,</3416>;ver=2.0,</3416/0>,</3417/0>,</3418>;ver=2.0,</3418/0>,</3452/0>,</3452/1>,</3453/0>,</3453/1>,"
    "</3454/0>,</3454/1>,</3456/0>,</3457>;ver=1.1,</3457/0>,</3458/0>,</3458/1>,</42769/0>"
)
"""What a lamp with a schedule of two programs registers."""

_DIGEST_PATH = f"{lamp_status.ID}/0/{lamp_status.SCHEDULE_DIGEST.id}"
_TUNING = Tuning()
_SEQUENCE_AFTER_RESTART = 4 * limits.SEQUENCE_CHUNK


@dataclass
class Tally:
    """What all lamps of a process saw. Latencies in ms by minute of the drill: from the first transmission of a
    question to its answer, repeats and an Echo between them included."""

    latencies: dict[int, list[int]] = field(default_factory=dict)
    sent: int = 0
    retransmitted: int = 0
    unanswered: int = 0
    busy: int = 0
    refused: int = 0
    registered: int = 0
    settled: int = 0
    registrations: int = 0
    reports: int = 0
    schedules: int = 0
    served: int = 0
    unreadable: int = 0

    def answered(self, now_ms: int, took_ms: int) -> None:
        self.latencies.setdefault(now_ms // 60_000, []).append(took_ms)


@dataclass
class _Question:
    kind: str
    message: Message
    done: Callable[[Message | None, int], None]
    asked_ms: int
    once: bool
    data: bytes = b""
    token: bytes = b""
    mid: int = 0
    binding: Binding = (b"", b"")
    due_ms: int = 0
    timeout_ms: int = 0
    repeats: int = 0
    acknowledged: bool = False


def endpoint_of(index: int) -> str:
    return f"urn:dev:mac:025c01fffe{index:06x}"


class StormLamp:
    """Lamp `index`. `held` is the digest of the schedule on its flash, `wanted` what it holds after it was written."""

    def __init__(
        self, index: int, tally: Tally, random: Random, jitter_s: int, held: str, wanted: str, utc_s: Callable[[], int]
    ) -> None:
        self.index = index
        self._tally = tally
        self._random = random
        self._jitter_s = jitter_s
        self._held = held
        self._wanted = wanted
        self._utc_s = utc_s
        self._keys = Keys(index, _SEQUENCE_AFTER_RESTART)
        self._registration = Registration(
            endpoint_of(index), lambda: LINKS, lambda: limits.LIFETIME_S, lambda n: random.randrange(n)
        )
        self._question: _Question | None = None
        self._mid = random.randrange(0x10000)
        self._samples = self._questions = 0
        self._time_ms = 0
        self._pause_ms = 0
        self._reports: deque[str] = deque()
        self._telemetry_ms = 0
        self._is_introduced = False
        self._is_counted = False
        self._is_settled = False
        self._echo: bytes | None = bytes(random.randrange(256) for _ in range(8))  # None: the server has repeated it
        self._answers: dict[int, bytes] = {}

    def power_up(self, now_ms: int) -> None:
        """The feeder has power again."""
        self._registration.start(now_ms, self._jitter_s)
        self._telemetry_ms = now_ms + self._random.randrange(limits.REPORT_INTERVAL_S * 1000)

    @property
    def due_ms(self) -> int:
        """When `poll` has something to do."""
        question = self._question
        if question is not None:
            return question.due_ms
        due_ms = int(self._registration.due_ms)
        if self._registration.is_ready():
            waits = [self._telemetry_ms, self._time_ms]
            if self._reports:
                waits.append(self._pause_ms)
            due_ms = min(due_ms, *waits)
        return due_ms

    def poll(self, now_ms: int) -> list[bytes]:
        """What is due, as datagrams."""
        question = self._question
        if question is None:
            return self._step(now_ms)
        if question.due_ms > now_ms:
            return []
        if (
            question.once
            or question.acknowledged
            or question.repeats >= _TUNING.max_retransmit
            or self._expired(question, now_ms)
        ):
            self._question = None
            self._tally.unanswered += 1
            question.done(None, now_ms)
            return self._step(now_ms)
        question.repeats += 1
        question.timeout_ms *= 2
        question.due_ms = min(now_ms + question.timeout_ms, question.asked_ms + PATIENCE_MS)
        self._tally.retransmitted += 1
        return [question.data]

    def receive(self, data: bytes, now_ms: int) -> list[bytes]:
        """Take a datagram; what there is to send then."""
        try:
            message = coap.decode(data)
        except MessageError:
            self._tally.unreadable += 1
            return []
        if coap.is_request(message.code):
            return self._serve(message)
        question = self._question
        if message.code == EMPTY:
            if message.type == ACK and question is not None and question.mid == message.mid:
                question.acknowledged = True
                question.due_ms = question.asked_ms + PATIENCE_MS
            return []
        sent = [coap.encode(Message(EMPTY, ACK, message.mid))] if message.type == CON else []
        if question is None or message.token != question.token:
            return sent
        try:
            response = self._keys.unprotect_response(message, question.binding)
        except Unreadable:
            if coap.is_success(message.code):
                self._tally.unreadable += 1
                return sent
            response = Message(message.code)  # in the open: a code without words (firmware.lwm2m.uplink)
        echo = response.option(coap.ECHO)
        if response.code == coap.UNAUTHORIZED and echo is not None and question.message.option(coap.ECHO) is None:
            question.message.add(coap.ECHO, echo)
            return sent + self._transmit(question, now_ms)
        self._question = None
        self._tally.answered(now_ms, now_ms - question.asked_ms)
        question.done(response, now_ms)
        return sent + self._step(now_ms)

    @staticmethod
    def _expired(question: _Question, now_ms: int) -> bool:
        return now_ms >= question.asked_ms + PATIENCE_MS

    def _step(self, now_ms: int) -> list[bytes]:
        """As firmware.lwm2m.client: registration, then time, then reports."""
        request = self._registration.next(now_ms)
        if request is not None:
            return self._ask_registration(request, now_ms)
        if not self._registration.is_ready():
            return []
        if now_ms >= self._time_ms:
            message = Message(coap.GET).add_path(limits.TIME_PATH).add(coap.ACCEPT, CBOR)
            return self._ask("time", message, self._on_time, now_ms, once=self._questions < QUESTIONS)
        if now_ms >= self._telemetry_ms:
            period_ms = limits.REPORT_INTERVAL_S * 1000
            self._telemetry_ms += ((now_ms - self._telemetry_ms) // period_ms + 1) * period_ms
            self._reports.append("telemetry")
        if self._reports and now_ms >= self._pause_ms:
            message = Message(coap.POST).add_path(limits.DP_PATH).add(coap.CONTENT_FORMAT, SENML_CBOR)
            message.payload = report(self._reports[0], self._utc_s(), self._held)
            return self._ask("report", message, self._on_report, now_ms)
        return []

    def _ask_registration(self, request: Request, now_ms: int) -> list[bytes]:
        message = Message(request.code, payload=request.payload).add_path(request.path)
        for query in request.queries:
            message.add(coap.URI_QUERY, query)
        if request.payload:
            message.add(coap.CONTENT_FORMAT, LINK_FORMAT)
        return self._ask(request.kind, message, self._on_registration, now_ms)

    def _on_registration(self, response: Message | None, now_ms: int) -> None:
        if response is None:
            self._registration.unanswered(now_ms)
            return
        max_age_s = response.uint(coap.MAX_AGE)
        word = self._registration.answered(response.code, now_ms, response.location(), max_age_s)
        if word == "registered":
            self._tally.registrations += 1
            self._samples, self._questions, self._time_ms = 0, 0, now_ms
            if not self._is_counted:
                self._is_counted = True
                self._tally.registered += 1
        elif word == "busy":
            self._tally.busy += 1
        elif word in ("refused", "failed"):
            self._tally.refused += 1

    def _on_time(self, response: Message | None, now_ms: int) -> None:
        """As firmware.lwm2m.timekeeper: questions that are asked once, and with patience where none comes through."""
        self._questions += 1
        if response is not None and response.code == coap.CONTENT:
            self._samples += 1
        elif response is not None or self._questions > QUESTIONS:
            self._samples, self._questions, self._time_ms = 0, 0, now_ms + AGAIN_MS
            return
        if self._samples == SAMPLES or (self._samples and self._questions >= QUESTIONS):
            self._samples, self._questions, self._time_ms = 0, 0, now_ms + PERIOD_MS
            if not self._is_introduced:
                self._is_introduced = True
                self._reports += ("evidence", "introduction")

    def _on_report(self, response: Message | None, now_ms: int) -> None:
        """As firmware.lwm2m.sender."""
        if response is None:
            self._registration.suspect(now_ms)
        elif coap.is_success(response.code):
            self._registration.heard()
            self._reports.popleft()
            self._tally.reports += 1
            if not self._reports and not self._is_settled:
                self._is_settled = self._is_introduced
                self._tally.settled += self._is_settled
        elif response.code == coap.NOT_FOUND:
            self._registration.lost(now_ms)
        elif response.code in (coap.UNAUTHORIZED, coap.FORBIDDEN):
            self._registration.refused(now_ms)
        elif response.code >> 5 == 5 or response.code == coap.TOO_MANY_REQUESTS:
            self._tally.busy += 1
            max_age_s = response.uint(coap.MAX_AGE)
            self._pause_ms = now_ms + 1000 * (PAUSE_S if max_age_s is None else min(max_age_s, MAX_AGE_HIGH_S))
        else:
            self._tally.refused += 1
            self._registration.suspect(now_ms)

    def _ask(
        self, kind: str, message: Message, done: Callable[[Message | None, int], None], now_ms: int, once: bool = False
    ) -> list[bytes]:
        question = self._question = _Question(kind, message, done, now_ms, once)
        return self._transmit(question, now_ms)

    def _transmit(self, question: _Question, now_ms: int) -> list[bytes]:
        self._mid = (self._mid + 1) & 0xFFFF
        question.mid, question.token = self._mid, self._random.randbytes(4)
        plain = question.message
        kind = NON if question.once else CON
        message = Message(plain.code, kind, question.mid, question.token, list(plain.options), plain.payload)
        question.binding = self._keys.protect_request(message)
        question.data = coap.encode(message)
        question.repeats, question.acknowledged = 0, False
        question.timeout_ms = MOMENT_MS if question.once else int(_TUNING.first_timeout_ms(self._random.randbytes))
        question.due_ms = min(now_ms + question.timeout_ms, question.asked_ms + PATIENCE_MS)
        self._tally.sent += 1
        return [question.data]

    def _serve(self, message: Message) -> list[bytes]:
        """A request of the server; a repeated one gets the answer that it got."""
        known = self._answers.get(message.mid)
        if known is not None:
            return [known]
        try:
            request, binding = self._keys.unprotect_request(message)
        except Unreadable:
            self._tally.unreadable += 1
            return [coap.encode(Message(EMPTY, RST, message.mid))]
        if self._echo is not None and request.option(coap.ECHO) == self._echo:
            self._echo = None
        is_fresh = self._echo is None
        response = self._answer(request) if is_fresh else Message(coap.UNAUTHORIZED).add(coap.ECHO, self._echo)
        response.type, response.mid, response.token = ACK, message.mid, message.token
        self._keys.protect_response(response, binding, fresh=not is_fresh)
        data: bytes = coap.encode(response)
        self._answers = {message.mid: data}
        return [data]

    def _answer(self, request: Message) -> Message:
        self._tally.served += 1
        if request.code == coap.GET and request.path() == _DIGEST_PATH:
            payload = cbor2.dumps([{0: "/" + _DIGEST_PATH, 3: self._held}])
            return Message(coap.CONTENT, payload=payload).add(coap.CONTENT_FORMAT, SENML_CBOR)
        if request.code != coap.IPATCH or request.path():
            return Message(coap.NOT_FOUND)
        block1 = request.uint(coap.BLOCK1)
        if block1 is None or not block1 & 8:
            self._held = self._wanted
            self._tally.schedules += 1
        response = Message(coap.CONTINUE if block1 is not None and block1 & 8 else coap.CHANGED)
        return response if block1 is None else response.add(coap.BLOCK1, block1)


def report(kind: str, utc_s: int, digest: str) -> bytes:
    """The body of a Send: the paths of firmware.lwm2m.reports with values of a lit lamp."""
    status = f"/{lamp_status.ID}/0/"
    rung = [{-2: status, -3: utc_s, 0: "0", 3: "schedule"}]
    why = [{-2: status, 0: "1", 3: "Program 'Night' (calendar rule 1): 80 % since 23:00 until 04:30"}]
    why += [{0: "2", 2: utc_s + 3600}, {0: "6", 2: 420}]
    light = [{-2: "/3416/0/", 0: "2", 2: 80}, {0: "3", 2: 80}]
    if kind == "evidence":
        return cbor2.dumps(rung + why + [{0: "7", 2: 0}, {0: "8", 2: utc_s * 1000}] + light)
    measured = light + [{0: "15", 2: 1234.5}, {0: "21", 2: 41.5}]
    measured += [{-2: "/3418/0/", 0: "1", 2: 231.5}, {0: "2", 2: 0.28}, {0: "4", 2: 62.25}, {0: "5", 2: 0.97}]
    measured += [{0: "6", 2: 76543.25}, {-2: status, 0: "3", 3: digest}, {0: "14", 2: 0}]
    if kind == "introduction":
        measured += [{0: "4", 2: 17}, {0: "5", 3: "power"}] + why
    return cbor2.dumps(rung + measured)


__all__ = ["LINKS", "StormLamp", "Tally", "endpoint_of", "keys_of", "report"]
