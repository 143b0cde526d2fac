"""OSCORE contexts from the database, found in constant time.

Source: RFC 8613, sections 3.2 (derivation), 7.2.1 (sequence numbers), 7.5.1 and Appendix B.1. A context is found by the
lamp's sender id in a dictionary, else by an indexed query. Two rules keep nonces from repeating: numbers are reserved
in the database before they are used, and the count of a lamp never goes back. (A database restored from a backup
breaks the first rule: give its lamps new keys, or raise `ssn_reserved` by more than was sent since.)

The replay window is left uninitialised at load. The first request of each lamp after a start is therefore answered
with an Echo challenge (B.1.2), one round trip, instead of one write for every message.
"""

import asyncio
import secrets
import threading
from concurrent.futures import Executor

from aiocoap import oscore
from cryptography.hazmat.primitives.hashes import SHA256

from backend.device_server import repository
from backend.device_server.lean import LeanContext
from backend.device_server.ports import Database
from backend.device_server.writer import Writer
from contract.limits import REPLAY_WINDOW, SEQUENCE_LAST, SERVER_ID


class LampContext(LeanContext):
    """The security context shared with one lamp. `repr` shows no key."""

    hashfun = SHA256()
    sender_id = SERVER_ID

    def __init__(
        self,
        lamp_id: int,
        endpoint: str,
        recipient_id: bytes,
        secret: bytes,
        salt: bytes,
        reserved: range,
        kind: str = repository.FLEET,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.lamp_id = lamp_id
        self.endpoint = endpoint
        self.recipient_id = recipient_id
        self.sender_sequence_number = reserved.start
        self.limit = reserved.stop
        self.secret = secret
        self.is_evicted = False
        self.recipient_replay_window = oscore.ReplayWindow(REPLAY_WINDOW, _nothing)
        self.echo_recovery = secrets.token_bytes(8)
        self.derive_keys(salt, secret)

    def __repr__(self) -> str:
        return f"<LampContext lamp={self.lamp_id} kid={self.recipient_id.hex()}>"

    @property
    def remaining(self) -> int:
        """Reserved sequence numbers not yet used."""
        return self.limit - self.sender_sequence_number

    def new_sequence_number(self) -> int:
        number = self.sender_sequence_number
        if number >= self.limit or number > SEQUENCE_LAST:
            raise oscore.ContextUnavailable("no reserved sequence number is left")
        self.sender_sequence_number = number + 1
        return number

    def post_seqnoincrease(self) -> None:
        """Numbers are durable before they are drawn."""


def _nothing() -> None:
    pass


class Contexts:
    """The contexts in use. All methods but `evict` belong to the event loop."""

    def __init__(self, database: Database, writer: Writer, executor: Executor, chunk: int) -> None:
        self._database = database
        self._writer = writer
        self._executor = executor
        self._chunk = chunk
        self._by_kid: dict[bytes, LampContext] = {}
        self._by_lamp: dict[int, LampContext] = {}
        self._beside: dict[int, list[LampContext]] = {}
        """Of a lamp's bootstrap: those with which it asks, and those that are pending."""
        self._loading: dict[object, asyncio.Task[LampContext | None]] = {}
        self._reserving: dict[bytes, asyncio.Task[None]] = {}
        self._revision = 0
        self._lock = threading.Lock()

    def find(self, sender_id: bytes) -> LampContext | None:
        """The context if it is loaded already; a dictionary look-up."""
        return self._by_kid.get(sender_id)

    def is_known(self, sender_id: bytes) -> bool:
        """Whether the context is loaded, or on its way."""
        return sender_id in self._by_kid or sender_id in self._loading

    @property
    def loading(self) -> int:
        """Look-ups under way."""
        return len(self._loading)

    async def load(self, sender_id: bytes) -> LampContext | None:
        """The context of the lamp with this sender id, from the database; None for an unknown or revoked one."""
        return self._by_kid.get(sender_id) or await self._once(
            sender_id, lambda connection: repository.find_keys(connection, sender_id)
        )

    async def load_lamp(self, lamp_id: int) -> LampContext | None:
        """As `load`, by lamp; None also for a laboratory lamp without keys."""
        return self._by_lamp.get(lamp_id) or await self._once(
            lamp_id, lambda connection: repository.find_keys_by_lamp(connection, lamp_id)
        )

    async def _once(self, key: object, find: repository.Find) -> LampContext | None:
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._load(find))
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(task)

    async def _load(self, find: repository.Find) -> LampContext | None:
        def look() -> repository.Row | None:
            with self._database.reading() as connection:
                return find(connection)

        while True:
            revision = self._revision
            row = await asyncio.get_running_loop().run_in_executor(self._executor, look)
            if row is None or row["secret"] is None:
                return None
            lamp_id, secret, kind = int(row["lamp_id"]), bytes(row["secret"]), str(row["kind"])
            known = (
                self._by_lamp.get(lamp_id) if kind == repository.FLEET else self._by_kid.get(bytes(row["sender_id"]))
            )
            if known is not None:  # found by its lamp while its kid was looked up
                return known
            start = await self._reserve(lamp_id, secret, kind)
            if start is None:
                continue  # revoked or replaced between the two statements: look again
            reserved = range(start, start + self._chunk)
            context = LampContext(
                lamp_id, row["endpoint"], bytes(row["sender_id"]), secret, bytes(row["salt"]), reserved, kind
            )
            with self._lock:
                if revision != self._revision:
                    continue  # something was revoked while we read; it may have been this one
                if kind == repository.FLEET:
                    if lamp_id not in self._by_lamp:
                        self._by_lamp[lamp_id] = self._by_kid[context.recipient_id] = context
                    return self._by_lamp[lamp_id]
                if context.recipient_id not in self._by_kid:
                    self._by_kid[context.recipient_id] = context
                    self._beside.setdefault(lamp_id, []).append(context)
                return self._by_kid[context.recipient_id]

    async def _reserve(self, lamp_id: int, secret: bytes, kind: str) -> int | None:
        return await self._writer.run(
            lambda connection: repository.reserve_sequence_numbers(connection, lamp_id, secret, self._chunk, kind)
        )

    async def ensure_numbers(self, context: LampContext, wanted: int = 8) -> None:
        """Reserve more sequence numbers when fewer than `wanted` are left."""
        while context.remaining < min(wanted, self._chunk):
            task = self._reserving.get(context.recipient_id)
            if task is None:
                task = self._reserving[context.recipient_id] = asyncio.create_task(self._extend(context))
                task.add_done_callback(lambda _: self._reserving.pop(context.recipient_id, None))
            await asyncio.shield(task)

    async def _extend(self, context: LampContext) -> None:
        start = await self._reserve(context.lamp_id, context.secret, context.kind)
        if start is None or start + self._chunk > SEQUENCE_LAST:
            raise oscore.ContextUnavailable(
                "the key was revoked, or its sequence numbers are used up: provision new keys"
            )
        context.sender_sequence_number = start  # what was left of the old chunk is given up: a gap costs nothing
        context.limit = start + self._chunk

    def evict(self, lamp_id: int) -> None:
        """Forget all of a lamp's contexts at once, also one that is being loaded; from any thread."""
        with self._lock:
            self._drop(lamp_id, self._beside.pop(lamp_id, []))

    def _drop(self, lamp_id: int, beside: list[LampContext]) -> None:
        self._revision += 1
        fleet = self._by_lamp.pop(lamp_id, None)
        for context in beside if fleet is None else [*beside, fleet]:
            context.is_evicted = True
            self._by_kid.pop(context.recipient_id, None)

    def forget_pending(self, lamp_id: int) -> None:
        """Others are pending now."""
        with self._lock:
            self._revision += 1
            beside = self._beside.pop(lamp_id, [])
            for context in beside:
                if context.kind == repository.PENDING:
                    context.is_evicted = True
                    self._by_kid.pop(context.recipient_id, None)
                else:
                    self._beside.setdefault(lamp_id, []).append(context)

    def enforced(self, lamp_id: int, secret: bytes) -> None:
        """The pending keys with this secret are the lamp's keys now, and those that it had are none."""
        with self._lock:
            beside = self._beside.pop(lamp_id, [])
            self._drop(lamp_id, [])
            for context in beside:
                if context.kind == repository.PENDING and context.secret == secret:
                    context.kind = repository.FLEET
                    self._by_lamp[lamp_id] = context
                elif context.kind == repository.BOOTSTRAP:
                    self._beside.setdefault(lamp_id, []).append(context)
