"""The receive path up to the site: finds the key, checks and decrypts, and refuses everybody else.

Source: RFC 8613, sections 7.4, 8.2 and Appendix B.1.2. Unprotected requests pass only in the laboratory mode; nothing
else is reachable without a key, and EDHOC is not served. Refusals before a message is authenticated are unprotected
and say little.
"""

import asyncio
import logging
from concurrent.futures import Executor
from typing import Any

from aiocoap import Message, oscore
from aiocoap.error import UnparsableMessage
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import CON
from aiocoap.pipe import Pipe

from backend.device_server import errors, repository
from backend.device_server.admission import Gate
from backend.device_server.bootstrap import Accounts, Bootstrap
from backend.device_server.counters import Counters
from backend.device_server.errors import Refusal
from backend.device_server.exchange import Exchange, check_critical
from backend.device_server.lean import is_truncated_option
from backend.device_server.peek import STALE_MS, is_request, key_id
from backend.device_server.ports import Clock, Database
from backend.device_server.security import Contexts, LampContext
from backend.device_server.sessions import Sessions
from backend.device_server.settings import DeviceServerSettings
from backend.device_server.site import Caller, Site
from backend.device_server.tuning import InTheOpen, Malformed, drop, is_wanted
from contract.limits import BS_PATH, RD_PATH

log = logging.getLogger(__name__)


class Door:
    """`receive(pipe)` is what the CoAP endpoint calls for every request."""

    def __init__(
        self,
        site: Site,
        contexts: Contexts,
        sessions: Sessions,
        clock: Clock,
        counters: Counters,
        settings: DeviceServerSettings,
        database: Database,
        executor: Executor,
        bootstrap: Bootstrap,
        accounts: Accounts,
    ) -> None:
        self._site = site
        self._bootstrap = bootstrap
        self._accounts = accounts
        self._contexts = contexts
        self._sessions = sessions
        self._clock = clock
        self._counters = counters
        self._allow_insecure = settings.allow_insecure
        self._waiting_lookups = settings.waiting_lookups
        self._gate = Gate(settings.strangers_per_s, settings.strangers_burst)
        self._overload_max_age_s = settings.overload_max_age_s
        self._database = database
        self._executor = executor
        self._tasks: set[asyncio.Task[None]] = set()

    def turns_away(self, data: bytes, late_ms: int) -> bool:
        """Whether a datagram is sent away unread: one that came too late, and a lamp whose keys are not in memory when
        there are too many of those (`admission`)."""
        self._site.late_ms = late_ms
        if late_ms >= STALE_MS and is_request(data):
            self._counters.stale += 1
            return True
        kid = key_id(data)
        if kid is None or self._contexts.is_known(kid):
            return False
        if self._gate.let_in(self._clock.real_ms(), late_ms):
            return False
        self._counters.overloaded += 1
        return True

    def receive(self, pipe: Pipe) -> None:
        """Answer the request in `pipe`, now or later; never raises."""
        try:
            self._receive(pipe)
        except Refusal as refusal:
            _answer_plain(pipe, refusal)
        except Exception:
            log.exception("request not served")
            _answer_plain(pipe, Refusal(errors.INTERNAL_ERROR, ""))

    def _receive(self, pipe: Pipe) -> None:
        request = pipe.request
        option = request.opt.oscore
        if option is None:
            self._receive_plain(pipe)
            return
        if request.code not in (Code.POST, Code.FETCH):
            raise Refusal(errors.METHOD_NOT_ALLOWED, "")
        check_critical(request, outside=True)
        kid = self._kid(option)
        context = self._contexts.find(kid)
        if context is not None:
            self._unprotect(pipe, context)
        elif self._contexts.loading >= self._waiting_lookups:
            self._counters.overloaded += 1
            raise Refusal(errors.UNAVAILABLE, "", self._overload_max_age_s)
        else:
            self._later(pipe, self._load_and_unprotect(pipe, kid))

    def _kid(self, option: bytes) -> bytes:
        # Bits 5 to 7 are reserved or group OSCORE; without a key id nobody can be found.
        if is_truncated_option(option) or not option or option[0] & 0xE0 or not option[0] & 0x08:
            self._counters.malformed += 1
            raise Refusal(errors.BAD_OPTION, "Failed to decode COSE")
        at = 1 + (option[0] & 7)
        if option[0] & 0x10:
            at += 1 + option[at]
        return option[at:]

    def _later(self, pipe: Pipe, coroutine: Any) -> None:
        """Run the rest of a request as a task; its refusals are unprotected."""

        async def guarded() -> None:
            try:
                await coroutine
            except Refusal as refusal:
                _answer_plain(pipe, refusal)
            except Exception:
                log.exception("request not served")
                _answer_plain(pipe, Refusal(errors.UNAVAILABLE, "", 10))

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _load_and_unprotect(self, pipe: Pipe, kid: bytes) -> None:
        context = await self._contexts.load(kid)
        if context is None:
            self._gate.give_back()
            self._counters.unknown_kid += 1
            raise Refusal(errors.UNAUTHORIZED, "Security context not found", 0)
        self._unprotect(pipe, context)

    def _unprotect(self, pipe: Pipe, context: LampContext) -> None:
        try:
            request, request_id = context.unprotect(pipe.request)
        except oscore.ReplayErrorWithEcho as challenge:
            self._counters.echo_challenges += 1
            if context.remaining:
                _answer(pipe, challenge.to_message())
            else:
                self._later(pipe, self._challenge(pipe, context, challenge))
            return
        except oscore.ReplayError:
            self._counters.replayed += 1
            raise Refusal(errors.UNAUTHORIZED, "Replay detected", 0) from None
        except oscore.DecodeError:
            self._counters.malformed += 1
            raise Refusal(errors.BAD_OPTION, "Failed to decode COSE") from None
        except oscore.ProtectionInvalid:
            self._counters.tampered += 1
            raise Refusal(errors.BAD_REQUEST, "Decryption failed") from None
        except (Malformed, UnparsableMessage, UnicodeDecodeError):
            self._counters.malformed += 1  # sealed with the lamp's key, and yet no CoAP inside
            raise Refusal(errors.BAD_REQUEST, "The protected message is malformed") from None
        if not request.code.is_request():
            raise Refusal(errors.BAD_REQUEST, "The protected message is no request")
        exchange = Exchange(pipe, pipe.request.remote, request, request.opt.uri_path, context, request_id)
        if context.kind == repository.PENDING:
            self._later(pipe, self._enforce(exchange, context))
        else:
            self._serve(exchange, (context.lamp_id, context.endpoint))

    async def _enforce(self, exchange: Exchange, context: LampContext) -> None:
        """The first message over the keys that a bootstrap gave: they are the lamp's from now on."""
        await self._accounts.enforce(context.lamp_id, context.secret)
        self._serve(exchange, (context.lamp_id, context.endpoint))

    async def _challenge(self, pipe: Pipe, context: LampContext, challenge: oscore.ReplayErrorWithEcho) -> None:
        await self._contexts.ensure_numbers(context, 1)
        _answer(pipe, challenge.to_message())

    def _serve(self, exchange: Exchange, caller: Caller) -> None:
        self._counters.requests += 1
        if exchange.context is None:
            is_bootstrap = exchange.path == (BS_PATH,)
        else:
            is_bootstrap = exchange.context.kind == repository.BOOTSTRAP
        if not is_bootstrap:
            self._sessions.heard(*caller, exchange.remote, self._clock.real_ms())
        try:
            check_critical(exchange.request)
            if is_bootstrap:
                self._bootstrap.serve(exchange, *caller)
            else:
                self._site.serve(exchange, caller)
        except Refusal as refusal:
            if refusal.code < errors.INTERNAL_ERROR:
                self._counters.refused += 1
            exchange.refuse(refusal)
        except Exception:
            log.exception("lamp=%s request not served path=/%s", caller[1], "/".join(exchange.path))
            exchange.refuse(Refusal(errors.INTERNAL_ERROR, ""))

    def _receive_plain(self, pipe: Pipe) -> None:
        if not self._allow_insecure:
            self._counters.unprotected += 1
            raise Refusal(errors.UNAUTHORIZED, "Only OSCORE is served here")
        request = pipe.request
        exchange = Exchange(pipe, request.remote, request, request.opt.uri_path, None, None)
        session = self._sessions.find_address(request.remote)
        if exchange.path in ((RD_PATH,), (BS_PATH,)):
            self._later(pipe, self._introduce(exchange))
        elif session is not None:
            self._serve(exchange, (session.lamp_id, session.endpoint))
        else:
            raise Refusal(errors.UNAUTHORIZED, "register first: the endpoint name says who you are")

    async def _introduce(self, exchange: Exchange) -> None:
        """Laboratory mode: the endpoint name of a registration alone names the lamp."""
        names = [query[3:] for query in exchange.request.opt.uri_query if query.startswith("ep=")]
        if len(names) != 1:
            raise Refusal(errors.BAD_REQUEST, "ep: one endpoint name is needed")

        def look() -> int | None:
            with self._database.reading() as connection:
                return repository.find_lamp_by_endpoint(connection, names[0])

        lamp_id = await asyncio.get_running_loop().run_in_executor(self._executor, look)
        if lamp_id is None:
            raise Refusal(errors.FORBIDDEN, "ep: no lamp has this endpoint name")
        self._serve(exchange, (lamp_id, names[0]))


def _answer(pipe: Pipe, message: Message) -> None:
    if is_wanted(pipe):
        pipe.add_response(message, is_last=True)


def _answer_plain(pipe: Pipe, refusal: Refusal) -> None:
    """An unprotected refusal, to a confirmable request only (RFC 8613, 8.2)."""
    if pipe.request.mtype is not CON:
        drop(pipe)
        return
    message = InTheOpen(code=Code(refusal.code), payload=refusal.diagnostic.encode())
    if refusal.max_age_s is not None:
        message.opt.max_age = refusal.max_age_s
    _answer(pipe, message)
