"""The bootstrap server: gives a lamp that knows nothing else its account, and keys that nobody knew before.

Source: OMA LwM2M Core 1.1, section 6.1 (client-initiated bootstrap), Transport 1.1, section 6.4.3 (paths and codes).
The receive path answers and goes on; one task a lamp does the writing, as the gateway does with commands.

No message that is lost leaves a lamp without a way in. The keys are drawn here and durable as pending before they are
sent. They take the place of the lamp's keys when it acknowledges the finish, or, if that word was lost, with the first
message that they authenticate (`door`); until then those before hold. Each bootstrap draws anew, so that a lamp that
forgot its sequence numbers between two of them never meets a key again.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiocoap import Message
from aiocoap.numbers.codes import Code
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from backend.device_server import codec, errors, linkformat, repository
from backend.device_server.counters import Counters
from backend.device_server.errors import LampRefused, LampUnreachable, Refusal
from backend.device_server.exchange import Exchange
from backend.device_server.ports import Clock
from backend.device_server.requester import Requester
from backend.device_server.security import Contexts, LampContext
from backend.device_server.sessions import Sessions
from backend.device_server.settings import DeviceServerSettings
from backend.device_server.tuning import Address
from backend.device_server.values import Value
from backend.device_server.writer import Overloaded, Stopped, Writer
from contract import paths
from contract.limits import (
    BS_PATH,
    LIFETIME_S,
    MASTER_SALT_BYTES,
    MASTER_SECRET_BYTES,
    SENDER_ID_BYTES,
    SERVER_ID,
)
from contract.objects import oscore, security, server
from contract.senml import LINK_FORMAT, SENML_CBOR, SENML_JSON, TLV, ObjectLink

log = logging.getLogger(__name__)

SHORT_SERVER_ID = 1
_NO_DTLS = 3
_NO_URI_S = 1800
_REPETITIONS = 2
_PAUSE_S = 1.0
"""Three times the patience with a lamp are 63 s at most; the lamp itself waits 93 s (firmware.lwm2m.bootstrap)."""


@dataclass(frozen=True, repr=False)
class Keys:
    """What OSCORE needs between the lamp and this server; never shown."""

    sender_id: bytes
    secret: bytes
    salt: bytes


def draw() -> Keys:
    """Keys that nobody had before."""
    return Keys(*map(secrets.token_bytes, (SENDER_ID_BYTES, MASTER_SECRET_BYTES, MASTER_SALT_BYTES)))


class Accounts:
    """Where the keys are kept that a bootstrap gives. Raises what the writer and the database raise."""

    def __init__(self, writer: Writer, contexts: Contexts, sessions: Sessions, clock: Clock) -> None:
        self._writer = writer
        self._contexts = contexts
        self._sessions = sessions
        self._clock = clock

    async def give(self, context: LampContext) -> Keys | None:
        """New keys for the lamp of a bootstrap context, durable and pending; None: it was revoked meanwhile."""

        def keep(connection: Connection) -> Keys | None:
            keys = draw()
            while repository.is_sender_id_known(connection, keys.sender_id):
                keys = draw()
            row = (keys.sender_id, keys.secret, keys.salt)
            return keys if repository.save_pending(connection, context.lamp_id, context.secret, row) else None

        keys = await self._writer.run(keep)
        self._contexts.forget_pending(context.lamp_id)
        return keys

    async def enforce(self, lamp_id: int, secret: bytes) -> None:
        """The lamp has shown that it has its pending keys: from now on they are its keys, and the only ones."""
        now_ms = self._clock.real_ms()
        changed = await self._writer.run(
            lambda connection: repository.enforce_pending(connection, lamp_id, secret, now_ms)
        )
        if changed:
            self._contexts.enforced(lamp_id, secret)
            self._sessions.forget(lamp_id)


@dataclass(slots=True)
class _Run:
    remote: Address
    task: asyncio.Task[None] | None = None


Send = Callable[[Code, dict[str, object], bytes], Awaitable[Message]]


class Bootstrap:
    """`serve` is called by the door; `requester` is there once the socket is (`locate` tells it where lamps are)."""

    requester: Requester

    def __init__(self, accounts: Accounts, counters: Counters, settings: DeviceServerSettings) -> None:
        self._accounts = accounts
        self._counters = counters
        self._uri = settings.server_uri
        self._most = settings.bootstraps
        self._max_age_s = settings.bootstrap_max_age_s
        self._runs: dict[int, _Run] = {}

    def locate(self, lamp_id: int) -> Address | None:
        """Where the lamp asked from."""
        run = self._runs.get(lamp_id)
        return None if run is None else run.remote

    def serve(self, exchange: Exchange, lamp_id: int, endpoint: str) -> None:
        """Answer a request that came over bootstrap keys, or over none in laboratory mode. Raises Refusal."""
        if exchange.path != (BS_PATH,):
            raise Refusal(errors.FORBIDDEN, "these keys are for bootstrap: POST /bs, and use those that you get")
        if exchange.request.code != Code.POST:
            raise Refusal(errors.METHOD_NOT_ALLOWED, "POST asks for a bootstrap")
        content_format = _preferred(exchange.request.opt.uri_query, endpoint)
        if not self._uri:
            log.warning("lamp=%s not bootstrapped: set STREETLIGHT_COAP_URI to the address that lamps use", endpoint)
            raise Refusal(errors.UNAVAILABLE, "this server does not know its own address", _NO_URI_S)
        before = self._runs.get(lamp_id)
        if before is None and len(self._runs) >= self._most:
            self._counters.overloaded += 1
            raise Refusal(errors.UNAVAILABLE, "many are bootstrapped now", self._max_age_s)
        exchange.answer(int(Code.CHANGED))
        run = self._runs[lamp_id] = _Run(exchange.remote)
        old = None if before is None else before.task
        run.task = asyncio.create_task(self._run(run, old, exchange.context, lamp_id, endpoint, content_format))

    async def close(self) -> None:
        """End what is under way: the lamps ask again."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self,
        run: _Run,
        old: asyncio.Task[None] | None,
        context: LampContext | None,
        lamp_id: int,
        endpoint: str,
        content_format: int,
    ) -> None:
        async def send(code: Code, options: dict[str, object], payload: bytes) -> Message:
            for _ in range(_REPETITIONS):
                try:
                    return await self.requester.request(lamp_id, context, code, options, payload)
                except LampUnreachable:
                    # Each of the requests may be repeated: writing the same again changes nothing.
                    await asyncio.sleep(_PAUSE_S)
            return await self.requester.request(lamp_id, context, code, options, payload)

        try:
            if old is not None:
                old.cancel()  # the lamp began anew: what was written to it is gone
                await asyncio.gather(old, return_exceptions=True)
            keys = None
            if context is not None:
                keys = await self._accounts.give(context)
                if keys is None:
                    return
            await self._write(send, keys, content_format)
            if keys is not None:
                await self._accounts.enforce(lamp_id, keys.secret)
            self._counters.bootstraps += 1
            log.info("lamp=%s bootstrapped", endpoint)
        except (LampUnreachable, LampRefused, Overloaded, Stopped) as error:
            self._counters.bootstrap_failures += 1
            log.warning("lamp=%s not bootstrapped reason=%s", endpoint, error)
        except SQLAlchemyError as error:
            self._counters.bootstrap_failures += 1
            log.error("lamp=%s not bootstrapped reason=%s", endpoint, type(error).__name__)
        except Exception:
            self._counters.bootstrap_failures += 1
            log.exception("lamp=%s not bootstrapped", endpoint)
        finally:
            if self._runs.get(lamp_id) is run:
                del self._runs[lamp_id]

    async def _write(self, send: Send, keys: Keys | None, content_format: int) -> None:
        await _succeed(send, Code.DELETE, {}, b"")
        number = _free(await send(Code.GET, {"accept": LINK_FORMAT}, b""))
        for path, values in account(number, self._uri, keys):
            numbers = (str(path.object), str(path.instance))
            for wanted in dict.fromkeys((content_format, TLV)):
                options: dict[str, object] = {"uri_path": numbers, "content_format": wanted}
                body = codec.encode(wanted, [(path._replace(resource=id), value) for id, value in values.items()])
                response = await send(Code.PUT, options, body)
                if response.code != Code.UNSUPPORTED_CONTENT_FORMAT:
                    break
            _check(response, paths.format(path))
        await _succeed(send, Code.POST, {"uri_path": (BS_PATH,)}, b"")


def account(number: int, uri: str, keys: Keys | None) -> list[tuple[paths.Path, dict[int, Value]]]:
    """What a lamp is written, in order: its server's address, the keys (None: laboratory mode), and what the server
    asks of it. `number` is the instance of objects 0 and 21."""
    where: dict[int, Value] = {
        security.LWM2M_SERVER_URI.id: uri,
        security.BOOTSTRAP_SERVER.id: False,
        security.SECURITY_MODE.id: _NO_DTLS,
        security.PUBLIC_KEY_OR_IDENTITY.id: b"",
        security.SERVER_PUBLIC_KEY.id: b"",
        security.SECRET_KEY.id: b"",
        security.SHORT_SERVER_ID.id: SHORT_SERVER_ID,
    }
    written = [(paths.path(security.ID, number), where)]
    if keys is not None:
        where[security.OSCORE_SECURITY_MODE.id] = ObjectLink(oscore.ID, number)
        secret: dict[int, Value] = {
            oscore.OSCORE_MASTER_SECRET.id: keys.secret,
            oscore.OSCORE_SENDER_ID.id: keys.sender_id,
            oscore.OSCORE_RECIPIENT_ID.id: SERVER_ID,
            oscore.OSCORE_MASTER_SALT.id: keys.salt,
        }
        written.append((paths.path(oscore.ID, number), secret))
    asked: dict[int, Value] = {
        server.SHORT_SERVER_ID.id: SHORT_SERVER_ID,
        server.LIFETIME.id: LIFETIME_S,
        server.NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE.id: True,
        server.BINDING.id: "U",
    }
    return [*written, (paths.path(server.ID, 0), asked)]


def _preferred(queries: tuple[str, ...], endpoint: str) -> int:
    """The content format that the lamp prefers: TLV, that of LwM2M 1.0, where it says nothing. Raises Refusal."""
    names = [query[3:] for query in queries if query.startswith("ep=")]
    if names != [endpoint]:
        raise Refusal(
            errors.FORBIDDEN if names else errors.BAD_REQUEST, "ep: the endpoint name of these keys is needed"
        )
    wanted = [query[4:] for query in queries if query.startswith("pct=")]
    return next((format for format in (SENML_CBOR, SENML_JSON) if wanted == [str(format)]), TLV)


def _free(discovered: Message) -> int:
    """An instance of objects 0 and 21 that is not the bootstrap account's own, which no Delete removes. Not every
    client tells; instance 0 is the usual one."""
    taken = {0}
    if discovered.code.is_successful():
        try:
            links = linkformat.parse(discovered.payload.decode())
        except (linkformat.LinkFormatError, UnicodeDecodeError):
            links = []
        for link in links:
            parts = link.target.strip("/").split("/")
            if len(parts) == 2 and parts[0] in (str(security.ID), str(oscore.ID)) and parts[1].isdecimal():
                taken.add(int(parts[1]))
    return next(number for number in range(len(taken) + 1) if number not in taken)


async def _succeed(send: Send, code: Code, options: dict[str, object], payload: bytes) -> None:
    _check(await send(code, options, payload), "/" + "/".join(options.get("uri_path", ())))  # type: ignore[arg-type]


def _check(response: Message, what: str) -> None:
    if not response.code.is_successful():
        words = response.payload[:160].decode(errors="replace")
        raise LampRefused(response.code.dotted, f"{what}: {words}")
