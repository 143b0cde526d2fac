"""The only door from a domain to a lamp: LwM2M's operations on one lamp at a time.

Source: LwM2M Core 1.1, sections 6.3 (device management) and 6.3.8 to 6.3.10 (composite), Transport 1.1, section 6.4.4
(CoAP methods). One request at a time per lamp (NSTART 1), a bounded number in flight (`Window`), a bounded number
waiting. Event loop only.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiocoap import Message
from aiocoap.numbers.codes import Code

from backend.device_server import codec, linkformat, senml
from backend.device_server.codec import COMPOSITE, Written
from backend.device_server.counters import Counters
from backend.device_server.errors import LampRefused, LampUnreachable, Refusal
from backend.device_server.ports import Clock
from backend.device_server.requester import Requester
from backend.device_server.security import Contexts
from backend.device_server.sessions import Session, Sessions
from backend.device_server.settings import DeviceServerSettings
from backend.device_server.values import Value
from backend.device_server.window import Window
from contract import paths
from contract.paths import Path
from contract.senml import LINK_FORMAT, SENML_CBOR, TEXT

ReadValue = Value | dict[int, Value]
"""A value, or {resource instance: value} of a multiple resource."""

_NO_COMPOSITE = ("4.04", "4.05", "5.01")
"""What lamps without composite operations answer to a FETCH or iPATCH of the root path."""


class Gateway:
    """Paths are `contract.paths.Path` or their text. Every operation raises LampUnreachable (no session, no answer in
    time) and LampRefused (the lamp's code and words); a value that does not fit its resource raises ValueRefused
    before anything is sent."""

    def __init__(
        self,
        requester: Requester,
        sessions: Sessions,
        contexts: Contexts,
        clock: Clock,
        counters: Counters,
        settings: DeviceServerSettings,
    ) -> None:
        self._requester = requester
        self._sessions = sessions
        self._contexts = contexts
        self._clock = clock
        self._counters = counters
        self._window = Window(settings.window, settings.window_patience_s, settings.overdue)
        self._waiting_for_lamp = settings.waiting_for_lamp
        self._locks: dict[int, tuple[asyncio.Lock, int]] = {}

    def is_present(self, lamp_id: int) -> bool:
        """Whether the lamp is registered and was heard within its lifetime, so that it is worth asking now."""
        session = self._sessions.find(lamp_id)
        if session is None or not session.registered or session.remote is None:
            return False
        return session.lifetime_s == 0 or self._clock.real_ms() <= session.heard_ms + session.lifetime_s * 1000

    async def read(self, lamp_id: int, path: Path | str) -> Any:
        """A resource's value ({resource instance: value} of a multiple one); for an object or an instance {Path:
        value} with a path for each resource or resource instance."""
        target = _path(path)
        async with self._turn(lamp_id) as session:
            values = await self._read(session, target)
        if target.resource is None:
            return values
        if list(values) == [target]:
            return values[target]
        return {inner.resource_instance: value for inner, value in values.items()}

    async def read_composite(self, lamp_id: int, wanted: Iterable[Path | str]) -> dict[Path, Value]:
        """The values at and below the paths, by full path, in one request; what the lamp does not have is missing.
        Read one after the other where the lamp has no Read-Composite."""
        targets = [_path(path) for path in wanted]
        async with self._turn(lamp_id) as session:
            if session.version != "1.0":
                content_format = _composite_format(session)
                encode = senml.encode_names_cbor if content_format == SENML_CBOR else senml.encode_names_json
                options = {"content_format": content_format, "accept": content_format}
                response = await self._send(session, Code.FETCH, None, options, encode(targets))
                if response.code.is_successful():
                    return self._values(response, None)
                if response.code.dotted not in _NO_COMPOSITE:
                    raise self._refused(response)
            values: dict[Path, Value] = {}
            for target in targets:
                try:
                    values |= await self._read(session, target)
                except LampRefused as refused:
                    if refused.code != "4.04":
                        raise
            return values

    async def write(self, lamp_id: int, path: Path | str, value: Written | Mapping[int, Written]) -> None:
        """Write a resource (replace), or {resource: value} of an instance (partial update: the others keep their
        values)."""
        target = _path(path)
        async with self._turn(lamp_id) as session:
            await self._write(session, target, codec.flatten(target, value))

    async def write_composite(
        self, lamp_id: int, values: Mapping[Path, Written | None] | Mapping[str, Written | None]
    ) -> None:
        """Write all of `values` ({path: value}) or none, in one request; None removes what its path names (an object's
        instances, an instance, a multiple resource's instances), before anything is given.

        A lamp without Write-Composite gets one partial update for each object instance, in the order given: atomic
        within an instance only, and refused when something is to be removed.
        """
        pairs = [pair for path, value in values.items() for pair in codec.flatten(_path(path), value)]
        if not pairs:
            return
        async with self._turn(lamp_id) as session:
            if session.version != "1.0":
                content_format = _composite_format(session)
                body = codec.encode(content_format, pairs)
                response = await self._send(session, Code.iPATCH, None, {"content_format": content_format}, body)
                if response.code.is_successful():
                    return
                if response.code.dotted not in _NO_COMPOSITE:
                    raise self._refused(response)
            instances: dict[Path, list[tuple[Path, Value | None]]] = {}
            for path, value in pairs:
                if value is None:
                    raise LampRefused("4.05", "it has no Write-Composite, and nothing else removes and gives at once")
                instances.setdefault(paths.path(path.object, path.instance), []).append((path, value))
            for instance, inside in instances.items():
                await self._write(session, instance, inside)

    async def execute(self, lamp_id: int, path: Path | str, arguments: str = "") -> None:
        """Run an executable resource; `arguments` in the syntax of LwM2M Core 1.1, 6.3.5 ("0='text',1")."""
        options = {"content_format": TEXT} if arguments else {}
        async with self._turn(lamp_id) as session:
            self._check(await self._send(session, Code.POST, _path(path), options, arguments.encode()))

    async def create(self, lamp_id: int, path: Path | str, values: Mapping[int, Written]) -> None:
        """Create the object instance at `path` (/object/instance) with {resource: value}."""
        instance = _path(path)
        pairs = codec.flatten(instance, values)
        async with self._turn(lamp_id) as session:
            content_format = codec.choose(session.formats, session.version)
            body = codec.encode_instance(content_format, instance, pairs)
            options = {"content_format": content_format}
            self._check(await self._send(session, Code.POST, paths.path(instance.object), options, body))

    async def delete(self, lamp_id: int, path: Path | str) -> None:
        """Delete an object instance."""
        async with self._turn(lamp_id) as session:
            self._check(await self._send(session, Code.DELETE, _path(path), {}, b""))

    async def discover(self, lamp_id: int, path: Path | str) -> list[linkformat.Link]:
        """The objects, instances and resources at and below `path`, with their attributes."""
        async with self._turn(lamp_id) as session:
            response = self._check(await self._send(session, Code.GET, _path(path), {"accept": LINK_FORMAT}, b""))
        try:
            return linkformat.parse(response.payload.decode())
        except ValueError as error:  # LinkFormatError and UnicodeDecodeError both are
            raise LampRefused(response.code.dotted, f"its list cannot be read: {error}") from None

    async def _read(self, session: Session, target: Path) -> dict[Path, Value]:
        # A 1.0 lamp chooses its format by itself; wakaama even answers 4.06 to an Accept that it does not know.
        options = {} if session.version == "1.0" else {"accept": codec.choose(session.formats, session.version)}
        return self._values(self._check(await self._send(session, Code.GET, target, options, b"")), target)

    def _values(self, response: Message, base: Path | None) -> dict[Path, Value]:
        content_format = None if response.opt.content_format is None else int(response.opt.content_format)
        try:
            records = codec.decode(content_format, response.payload, base, self._clock.now_ms() // 1000)
        except Refusal as refusal:
            raise LampRefused(response.code.dotted, f"its answer cannot be read: {refusal.diagnostic}") from None
        return {record.path: record.value for record in records}

    async def _write(self, session: Session, target: Path, pairs: list[tuple[Path, Value | None]]) -> None:
        content_format = codec.choose(session.formats, session.version)
        code = Code.POST if target.resource is None else Code.PUT
        body = codec.encode(content_format, pairs)
        self._check(await self._send(session, code, target, {"content_format": content_format}, body))

    async def _send(
        self, session: Session, code: Code, path: Path | None, options: Mapping[str, object], body: bytes
    ) -> Message:
        if session.remote is None:
            raise LampUnreachable("the lamp has not been heard since the server started")
        context = await self._contexts.load_lamp(session.lamp_id) if session.protected else None
        if context is None and session.protected:
            raise LampUnreachable("the lamp has no key in force: enrol it")
        numbers = () if path is None else tuple(str(number) for number in path if number is not None)
        complete = {**options, "uri_path": session.root + numbers}
        self._counters.lamp_requests += 1
        try:
            return await self._requester.request(session.lamp_id, context, code, complete, body)
        except LampUnreachable:
            self._counters.lamp_timeouts += 1
            raise

    def _check(self, response: Message) -> Message:
        if not response.code.is_successful():
            raise self._refused(response)
        return response

    def _refused(self, response: Message) -> LampRefused:
        self._counters.lamp_refusals += 1
        return LampRefused(response.code.dotted, response.payload.decode(errors="replace")[:200])

    @asynccontextmanager
    async def _turn(self, lamp_id: int) -> AsyncIterator[Session]:
        """Wait for the lamp's turn and for a place in the window."""
        lock, waiting = self._locks.get(lamp_id, (asyncio.Lock(), 0))
        if waiting >= self._waiting_for_lamp:
            raise LampUnreachable(f"{waiting} requests wait for this lamp already")
        session = self._sessions.find(lamp_id)
        if session is None:
            raise LampUnreachable("the lamp has never registered, or its key was revoked")
        self._locks[lamp_id] = (lock, waiting + 1)
        try:
            async with lock, self._window.place(session.heard_ms):
                session = self._sessions.find(lamp_id)
                if session is None:
                    raise LampUnreachable("the lamp's key was revoked")
                yield session
        finally:
            lock, waiting = self._locks.pop(lamp_id)
            if waiting > 1:
                self._locks[lamp_id] = (lock, waiting - 1)


def _path(path: Path | str) -> Path:
    return paths.parse(path) if isinstance(path, str) else path


def _composite_format(session: Session) -> int:
    chosen = codec.choose(session.formats, session.version)
    return chosen if chosen in COMPOSITE else SENML_CBOR
