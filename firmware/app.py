"""The composition root of the lamp: builds its parts from a board, starts its tasks, and watches over them.

Order matters. The board comes up lit by itself; the light follows the ladder before the network is even tried; nothing
that can fail (an identity that is wrong, flash that is torn, a server that is away) comes before the light.
"""

import asyncio
import gc

from contract import faults, limits
from firmware import heap
from firmware.clock import Clock
from firmware.coap.endpoint import Endpoint
from firmware.codec import cbor
from firmware.counters import Counters
from firmware.errors import LampError, StorageError
from firmware.health import Health
from firmware.identity import Identity
from firmware.lamp import Lamp
from firmware.learnt_night import LearntNight
from firmware.light import Light
from firmware.log import Log
from firmware.lwm2m import reports as paths
from firmware.lwm2m.attributes import Attributes
from firmware.lwm2m.client import Client
from firmware.lwm2m.objects import build
from firmware.lwm2m.observations import Observations
from firmware.lwm2m.observer import Observer
from firmware.lwm2m.operations import Operations
from firmware.lwm2m.queue import Queue
from firmware.lwm2m.reports import Reports
from firmware.lwm2m.tree import Tree
from firmware.meter import Meter
from firmware.oscore.context import Context
from firmware.oscore.protect import Oscore
from firmware.oscore.window import ReplayWindow
from firmware.override import END, Override
from firmware.program import Program
from firmware.rarely import borrow
from firmware.settings import Settings
from firmware.store import Store, whole
from firmware.supervisor import Supervisor
from firmware.version import VERSION
from firmware.watch import Watch

SEQUENCE = "sequence"

# Garbage is collected when it has filled a sixteenth of what is free once all is built (docs/firmware.md, "Memory").
# More would be quicker, as a collection costs what all that lives costs to mark, but what is made between two of them
# and stays lies the higher, and cuts the free heap into pieces: at a quarter the largest piece fell below a datagram.
GC_SHARE = 16

# Life signs that the watchdog waits for, in ticks.
LIGHT_WITHIN_MS = 3000
WATCH_WITHIN_MS = 10000
# A round of the client may hold a question to a silent server (lwm2m.uplink.PATIENCE_MS) for each of several samples.
CLIENT_WITHIN_MS = 180000

# An answer that was just given must leave before the controller restarts.
LAST_WORDS_MS = 500


class Parts:
    """The lamp's parts, by name; the objects (firmware.lwm2m.objects) and the watch find each other here."""

    def __init__(self, board, log):
        self.board = board
        self.log = log
        self.identity = Identity(board.identity())
        self.store = Store(board.directory, board.sync)
        self.counters = Counters(self.store, board.reset_cause())
        self.client = None

    def furnish(self):
        """Load the rest, and return the nodes of the tree; in safe mode it is firmware.safe_mode that does."""
        self.settings = Settings(self.store, self.identity.settings)
        self.clock = Clock(self.board.rtc_rate, self.store)
        self.meter = Meter(self.store)
        self.program = Program(self.settings, self.store)
        self.queue = Queue(self.store)
        self.override = Override(self.settings, self.store)
        self.night = LearntNight(self.store, self.counters, self.settings.get, self.board.rtc_ms())
        self.lamp = Lamp(self.settings, self.program, self.override, lambda: self.meter.lamp_hours, self.night)
        self.health = Health(self)
        self.lamp.is_blind = self.health.is_raised(faults.PHOTOCELL_STUCK.code)
        return build(self)

    def keep(self):
        """Before a planned restart. Raises StorageError."""
        self.meter.save(self.clock)
        self.queue.flush()

    def forget(self):
        """Back to what provisioning wrote: settings, schedule and override go; identity, account and counters stay."""
        for forget in (self.settings.factory_reset, self.program.reset, self._forget_override):
            try:
                forget()
            except LampError as error:
                self.log.note("not everything was reset", reason=str(error))

    def _forget_override(self):
        rtc_ms = self.board.rtc_ms()
        self.override.write({END: 0}, self.clock.trusted_ms(rtc_ms), rtc_ms)
        self.override.keep()


class App:
    """One lamp. `run` keeps it running; `parts` is what it is made of."""

    def __init__(self, board, echo=None, queue=None):
        """`echo(line)` gets every line of the log; `queue(queue)` may wrap the queue of reports to watch it."""
        self.board = board
        self.log = Log(self._log_time, echo)
        self.parts = None
        parts = Parts(board, self.log)
        # What the rest of flash holds may be what ends each start early: the count of starts comes first.
        self._begin(parts)
        mode = borrow("firmware.safe_mode") if parts.counters.is_looping else None
        nodes = parts.furnish() if mode is None else mode.furnish(parts)
        self.parts = parts
        parts.restart = lambda: self._later(self._restart)
        parts.factory_reset = lambda: self._later(self._factory_reset)
        if queue is not None:
            parts.queue = queue(parts.queue)
        tree = Tree(nodes)
        parts.reports = Reports(
            tree, parts.queue, parts.clock, lambda: parts.settings.get("report_interval_s"), self._draw
        )
        self.watch = Watch(parts) if mode is None else mode.Watch(parts)
        self.light = Light(board, parts.lamp, parts.clock, lambda: self.watch.lux, self._light_changed)
        self._network(parts, tree, parts.program.make_room if mode is None else None)
        self._last_words = []
        if parts.identity.account is not None:
            borrow("firmware.bootstrapping").begin(self)

    def _begin(self, parts):
        try:
            parts.counters.begin()
        except StorageError as error:
            self.log.transition("storage", "failing", reason=str(error))
        self.log.note(
            "started", lamp=parts.identity.endpoint, firmware=VERSION, board=self.board.name,
            cause=parts.counters.cause, boots=parts.counters.boots,
        )  # fmt: skip

    def _network(self, parts, tree, make_room):
        """CoAP, OSCORE and LwM2M on one socket."""
        board = self.board
        udp = board.open_udp()
        attributes = Attributes()
        observations = Observations(tree, attributes)
        self.operations = Operations(
            tree, attributes, observations, board.ticks_ms, self.log, make_room
        )  # fmt: skip
        self.endpoint = Endpoint(
            board, udp, Oscore(self._context(parts), board.random), self._handle, log=self.log.note,
            block_bytes=limits.BLOCK_BYTES,
        )  # fmt: skip
        self._observer = Observer(board, self.endpoint, observations)
        parts.client = self.client = Client(
            board, self.endpoint, udp.resolve, tree, parts.clock, parts.queue, parts.settings, parts.identity, self.log,
            parts.settings.get("registration_jitter_s") if board.reset_cause() == "power" else None,
        )  # fmt: skip

    def _context(self, parts):
        """The security context. Its sequence numbers go on at the limit that was reserved last."""
        store, identity = parts.store, parts.identity
        lost = store.lost
        data = store.load(SEQUENCE)
        is_new = data is None and store.lost == lost
        sequence = 0
        try:
            sequence = whole(cbor.decode(data or b""))
        except (ValueError, TypeError):
            store.lost += data is not None
        if store.lost != lost:
            # Flash forgot which numbers were used, and none may be used twice: go on where this lamp never was.
            sequence = (1 << 38) + int.from_bytes(self.board.random(4), "big") * 64
            self.log.note("sequence numbers lost", goes_on_at=sequence)

        def reserve(limit):
            # Both slots: a rotten one must not bring an older limit back.
            store.save(SEQUENCE, cbor.encode(limit), both=True)

        # A context that was never used has seen no request that could be replayed; any other has forgotten which.
        window = ReplayWindow() if is_new else None
        return Context(
            identity.sender_id, identity.recipient_id, identity.master_secret, reserve, identity.master_salt,
            sequence=sequence, chunk=limits.SEQUENCE_CHUNK, window=window,
        )  # fmt: skip

    def _handle(self, request):
        """A request of the server; the light follows before the answer is even encoded, flash after the light."""
        self.client.heard()
        response = self.operations.handle(request)
        self.light.follow()
        try:
            self.parts.override.keep()
        except StorageError as error:
            self.log.transition("storage", "failing", reason=str(error))
        return response

    def _light_changed(self, decision):
        self.log.note("light", level=decision.level, rung=decision.rung, why=decision.words)
        if self.parts.clock.now_ms(self.board.rtc_ms()) is not None:
            self.parts.reports.report(paths.EVIDENCE_PATHS, self.board.rtc_ms())

    async def run(self):
        """Run the lamp for ever; only cancellation or a restart of the board ends it."""
        supervisor = Supervisor(self.board, self.log)
        supervisor.add("light", self.light.run, LIGHT_WITHIN_MS, lambda: self.light.progress_ms)
        supervisor.add("watch", self.watch.run, WATCH_WITHIN_MS, lambda: self.watch.progress_ms)
        supervisor.add("receiver", self.endpoint.run)
        supervisor.add("client", self.client.run, CLIENT_WITHIN_MS, lambda: self.client.progress_ms)
        supervisor.add("observer", self._observer.run)
        self.light.refresh()
        heap.collect()
        if heap.IS_SMALL:
            gc.threshold(gc.mem_free() // GC_SHARE)
        await supervisor.run()

    def _later(self, act):
        """Do something that ends this run, once the answer is out."""
        self._last_words.append(asyncio.create_task(self._after_last_words(act)))

    async def _after_last_words(self, act):
        await self.board.sleep_ms(LAST_WORDS_MS)
        act()

    def _restart(self):
        self.log.note("restart", asked_by="the server")
        try:
            self.parts.keep()
        except LampError as error:
            self.log.note("not everything was kept", reason=str(error))
        self.board.reset()

    def _factory_reset(self):
        self.parts.forget()
        self._restart()

    def _draw(self, count):
        """An int 0..count-1 from the true random source."""
        return int.from_bytes(self.board.random(4), "big") % count

    def _log_time(self):
        parts = self.parts
        now_ms = None if parts is None else parts.clock.now_ms(self.board.rtc_ms())
        return self.board.ticks_ms() if now_ms is None else now_ms
