"""The server's resources, flat: /rd and /rd/<location>, /dp, /time, /.well-known/core; everything else is 4.04.

Source: LwM2M Transport 1.1, section 6.4 (paths, codes) and RFC 6690 for the list. A handler runs in the event loop
and never waits; what has to be durable first is answered from the writer's callback.
"""

import logging
import secrets
from collections.abc import Callable
from typing import Any

import cbor2
from aiocoap.numbers.codes import Code

from backend.device_server import codec, errors, registration, repository
from backend.device_server.admission import Admission
from backend.device_server.blockwise import Assembler
from backend.device_server.counters import Counters
from backend.device_server.errors import Refusal
from backend.device_server.exchange import Exchange
from backend.device_server.ports import Clock, OnCheckIn, Report
from backend.device_server.sessions import Session, Sessions
from backend.device_server.settings import DeviceServerSettings
from backend.device_server.writer import Overloaded, Stopped, Writer, is_unavailable
from contract.limits import DP_PATH, PAYLOAD_BYTES, RD_PATH, TIME_PATH
from contract.senml import CBOR, LINK_FORMAT

log = logging.getLogger(__name__)

_LINKS = f'</{RD_PATH}>;rt="core.rd",</{DP_PATH}>;ct="110 112",</{TIME_PATH}>;ct={CBOR}'.encode()
_CREATED, _DELETED, _CHANGED, _CONTENT, _CONTINUE = 65, 66, 68, 69, 95

Caller = tuple[int, str]
"""(lamp_id, endpoint) of an authenticated lamp."""


_REVOKED = Refusal(errors.UNAUTHORIZED, "this key was revoked or is being changed: try again", 0)
"""To a lamp whose message was opened before its key was revoked, and would have been served after it."""


def _is_evicted(exchange: Exchange) -> bool:
    return exchange.context is not None and exchange.context.is_evicted


class Site:
    """Answers requests whose sender is known already (`backend.device_server.door` sees to that)."""

    def __init__(
        self,
        writer: Writer,
        sessions: Sessions,
        clock: Clock,
        counters: Counters,
        settings: DeviceServerSettings,
        on_check_in: OnCheckIn,
    ) -> None:
        self._writer = writer
        self._sessions = sessions
        self._clock = clock
        self._counters = counters
        self._overload_max_age_s = settings.overload_max_age_s
        self._assembler = Assembler(PAYLOAD_BYTES, settings.assemblies)
        self._on_check_in = on_check_in
        self._admission = Admission(settings.registrations_per_s, settings.registrations_burst)
        self.late_ms = 0
        """How long the datagram that is served lay unread."""

    def serve(self, exchange: Exchange, caller: Caller) -> None:
        """Answer `exchange`, now or after a commit. Raises Refusal."""
        path, code = exchange.path, exchange.request.code
        if path == (DP_PATH,):
            if code != Code.POST:
                raise Refusal(errors.METHOD_NOT_ALLOWED, "POST reports here")
            self._report(exchange, caller)
        elif path == (TIME_PATH,):
            self._time(exchange, code)
        elif path == (RD_PATH,):
            if code != Code.POST:
                raise Refusal(errors.METHOD_NOT_ALLOWED, "POST a registration here")
            self._register(exchange, caller)
        elif len(path) == 2 and path[0] == RD_PATH:
            self._registered(exchange, caller, code)
        elif path == (".well-known", "core") and code == Code.GET:
            exchange.answer(_CONTENT, _LINKS, content_format=LINK_FORMAT)
        else:
            raise Refusal(errors.NOT_FOUND, "nothing is here: use /rd, /dp or /time")

    def _time(self, exchange: Exchange, code: Code) -> None:
        if code != Code.GET:
            raise Refusal(errors.METHOD_NOT_ALLOWED, "GET the time here")
        if exchange.request.opt.accept not in (None, CBOR):
            raise Refusal(errors.NOT_ACCEPTABLE, f"the time is CBOR ({CBOR})")
        # Max-Age 0: RFC 7252's default would allow a proxy to hold the time for a minute.
        exchange.answer(_CONTENT, cbor2.dumps(self._clock.now_ms()), content_format=CBOR, max_age_s=0)

    def _body(self, exchange: Exchange, lamp_id: int) -> tuple[bytes, tuple[int, bool, int] | None] | None:
        """The whole body and the Block1 option of the answer; None when more blocks are to come (answered here)."""
        request = exchange.request
        block = request.opt.block1
        if block is None:
            if len(request.payload) > PAYLOAD_BYTES:
                raise Refusal(errors.TOO_LARGE, f"at most {PAYLOAD_BYTES} bytes")
            return request.payload, None
        key = (lamp_id, exchange.path, request.opt.uri_query)
        number, more, size_exponent = block
        body = self._assembler.feed(key, number, more, size_exponent, request.payload, self._clock.real_ms())
        if body is None:
            exchange.answer(_CONTINUE, block1=(number, True, size_exponent))
            return None
        return body, (number, False, size_exponent)

    def _report(self, exchange: Exchange, caller: Caller) -> None:
        received = self._body(exchange, caller[0])
        if received is None:
            return
        body, block1 = received
        lamp_id = caller[0]
        now_ms = self._clock.now_ms()
        records = codec.decode(exchange.content_format, body, None, now_ms // 1000)
        session = self._sessions.find(lamp_id)
        assert session is not None  # `heard` came before
        heard_ms = session.heard_ms

        def done(value: Any, error: Exception | None) -> None:
            if value is False:
                exchange.refuse(_REVOKED)
                return
            if error is not None:
                self._counters.report_failures += 1
                exchange.refuse(self._failure(error))
                return
            self._counters.reports += 1
            self._counters.records += len(records)
            session.saved_ms = max(session.saved_ms, heard_ms)
            exchange.answer(_CHANGED, block1=block1)
            self._checked_in(lamp_id, "report")

        heard = (lamp_id, heard_ms, exchange.remote.text)
        try:
            self._writer.report(Report(lamp_id, now_ms, records), heard, done, lambda: not _is_evicted(exchange))
        except (Overloaded, Stopped) as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> Refusal:
        """What a lamp is told when nothing was stored: come back, unless this very message is what cannot be stored."""
        if isinstance(error, Overloaded):
            self._counters.overloaded += 1
        if isinstance(error, Overloaded | Stopped) or is_unavailable(error):
            return Refusal(errors.UNAVAILABLE, "not stored, try again", self._overload_max_age_s)
        return Refusal(errors.INTERNAL_ERROR, "not stored: the server could not use it", self._overload_max_age_s)

    def _checked_in(self, lamp_id: int, kind: str) -> None:
        try:
            self._on_check_in(lamp_id, kind)
        except Exception:
            log.exception("check-in lamp_id=%d kind=%s not taken", lamp_id, kind)

    def _register(self, exchange: Exchange, caller: Caller) -> None:
        received = self._body(exchange, caller[0])
        if received is None:
            return
        body, block1 = received
        lamp_id, endpoint = caller
        register = registration.parse_register(exchange.request.opt.uri_query, exchange.content_format, body)
        if register.endpoint != endpoint:
            raise Refusal(errors.FORBIDDEN, "ep: this key belongs to another endpoint")
        now_ms = self._clock.real_ms()
        wait_s = self._admission.wait_s(lamp_id, now_ms, self.late_ms)
        if wait_s:
            self._counters.deferred += 1
            raise Refusal(errors.UNAVAILABLE, "many register now, come back in Max-Age seconds", wait_s)
        session = Session(
            lamp_id=lamp_id,
            endpoint=endpoint,
            location=secrets.token_hex(6),
            registered=True,
            remote=exchange.remote,
            lifetime_s=register.lifetime_s,
            version=register.version,
            binding=register.binding,
            root=register.root,
            formats=register.formats,
            registered_ms=now_ms,
            heard_ms=now_ms,
            saved_ms=now_ms,
            protected=exchange.context is not None,
        )
        row = {
            "lamp_id": lamp_id,
            "location": session.location,
            "active": True,
            "address": exchange.remote.text,
            "lifetime_s": register.lifetime_s,
            "lwm2m_version": register.version,
            "binding": register.binding,
            "objects": register.objects,
            "registered_real_ms": now_ms,
            "last_heard_real_ms": now_ms,
        }

        def committed() -> None:
            self._sessions.put(session)
            self._counters.registrations += 1
            log.info("lamp=%s registered lifetime_s=%d version=%s", endpoint, session.lifetime_s, session.version)
            exchange.answer(_CREATED, location=(RD_PATH, str(session.location)), block1=block1, seen=True)
            self._checked_in(lamp_id, "register")

        secret = None if exchange.context is None else exchange.context.secret

        def save(connection: Any) -> bool:
            # The key may have been revoked since the message was opened: nobody registers with it any more.
            if not repository.is_in_force(connection, lamp_id, secret):
                return False
            repository.save_registration(connection, row)
            return True

        self._write(exchange, save, committed)

    def _write(self, exchange: Exchange, work: Callable[[Any], object], committed: Callable[[], None]) -> None:
        def done(value: Any, error: Exception | None) -> None:
            if error is None and (value is False or _is_evicted(exchange)):
                exchange.refuse(_REVOKED)
            elif error is None:
                committed()
            else:
                exchange.refuse(self._failure(error))

        try:
            self._writer.submit(work, done)
        except (Overloaded, Stopped) as error:
            raise self._failure(error) from None

    def _registered(self, exchange: Exchange, caller: Caller, code: Code) -> None:
        session = self._sessions.find_location(exchange.path[1])
        if session is None or session.lamp_id != caller[0]:
            raise Refusal(errors.NOT_FOUND, "no such registration: register again")
        if code == Code.POST:
            self._update(exchange, session)
        elif code == Code.DELETE:
            self._deregister(exchange, session)
        else:
            raise Refusal(errors.METHOD_NOT_ALLOWED, "POST an update or DELETE the registration")

    def _update(self, exchange: Exchange, session: Session) -> None:
        received = self._body(exchange, session.lamp_id)
        if received is None:
            return
        body, block1 = received
        update = registration.parse_update(exchange.request.opt.uri_query, exchange.content_format, body)
        changes: dict[str, Any] = {}
        if update.lifetime_s not in (None, session.lifetime_s):
            changes["lifetime_s"] = update.lifetime_s
        if update.binding not in (None, session.binding):
            changes["binding"] = update.binding
        if update.objects is not None:
            changes["objects"] = update.objects

        def committed() -> None:
            session.lifetime_s = changes.get("lifetime_s", session.lifetime_s)
            session.binding = changes.get("binding", session.binding)
            if update.objects is not None:
                session.root, session.formats = registration.read_objects(update.objects)
            self._counters.updates += 1
            exchange.answer(_CHANGED, block1=block1, seen=True)
            self._checked_in(session.lamp_id, "update")

        if changes:
            lamp_id = session.lamp_id
            self._write(
                exchange, lambda connection: repository.update_registration(connection, lamp_id, changes), committed
            )
        else:
            # a keep-alive: what it says is already durable, and when it came is written with the next flush
            committed()

    def _deregister(self, exchange: Exchange, session: Session) -> None:
        changes = {"active": False, "last_heard_real_ms": session.heard_ms}

        def committed() -> None:
            self._sessions.deregister(session)
            self._counters.deregistrations += 1
            log.info("lamp=%s deregistered", session.endpoint)
            exchange.answer(_DELETED)

        lamp_id = session.lamp_id
        self._write(
            exchange, lambda connection: repository.update_registration(connection, lamp_id, changes), committed
        )
