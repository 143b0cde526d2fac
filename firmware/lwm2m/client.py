"""The LwM2M client: network, registration, time and reports, in this order of importance, in one task.

Each of them is a step that says whether it did anything; the first that did starts the round anew. Only `run` waits.
Commands of the server do not pass here: `coap.endpoint` hands them to `lwm2m.operations` whatever this task does.
"""

from contract import limits
from firmware.coap import message as coap
from firmware.lwm2m import links
from firmware.lwm2m.keep_alive import KeepAlive
from firmware.lwm2m.registration import Registration
from firmware.lwm2m.sender import Sender
from firmware.lwm2m.timekeeper import Timekeeper
from firmware.lwm2m.uplink import Uplink, location

IDLE_MS = 250  # how soon a fault that was just queued goes out
RESTART_JITTER_S = 2  # a restart of one lamp is no return of a feeder
STOP_MS = 5000  # a planned stop waits so long for its good-bye
SEEN = ((limits.SEEN_OPTION, b""),)
LINK_FORMAT = ((coap.CONTENT_FORMAT, b"\x28"),)


class Client:
    """`resolve(host, port) -> address` (Udp.resolve); `jitter_s`: seconds over which this lamp's first registration is
    spread, None: as the cause of the last reset suggests. `progress_ms` is the ticks of its last round, for a watchdog.
    """

    def __init__(self, board, endpoint, resolve, tree, clock, queue, settings, identity, log, jitter_s=None):
        self._board = board
        self._tree = tree
        self._queue = queue
        self._settings = settings
        self._log = log
        self._jitter_s = jitter_s
        self.keep_alive = KeepAlive()
        self.uplink = Uplink(endpoint, resolve, identity, log, self.heard)
        self.registration = Registration(
            identity.endpoint, lambda: links.registration(tree), lambda: settings.get("lifetime_s"), self._draw,
            self.keep_alive.interval_ms,
        )  # fmt: skip
        self._time = Timekeeper(board, self.uplink, clock, log)
        self.sender = Sender(board, self.uplink, queue, self.registration, lambda: settings.get("mute_send"), log)
        self._is_connected = False
        self._address = None
        self._revision = tree.revision
        self.progress_ms = 0
        settings.listen(self._on_settings)

    async def run(self):
        """Keep the lamp registered and its reports flowing, for ever; only cancellation ends it."""
        while True:
            self.progress_ms = self._board.ticks_ms()
            if not await self._step():
                await self._board.sleep_ms(IDLE_MS)

    async def stop(self):
        """Planned stop: keep the reports, say good-bye. `run` must still be running; it stays de-registered."""
        self._queue.flush()
        self.registration.leave(self._board.ticks_ms())
        deadline_ms = self._board.ticks_ms() + STOP_MS
        while self.registration.location is not None and self._board.ticks_ms() < deadline_ms:
            await self._board.sleep_ms(IDLE_MS // 5)

    def disable(self):
        """The server executed /1/0/4: leave, and come back after the time-out of /1/0/5."""
        self.registration.leave(self._board.ticks_ms(), self._settings.get("disable_timeout_s"))

    def trigger_update(self):
        """The server executed /1/0/8."""
        self.registration.trigger(self._board.ticks_ms())

    def is_registered(self):
        """Whether the server knows this lamp, as far as the lamp knows."""
        return self.registration.is_registered()

    def heard(self):
        """The way between lamp and server is open: something came from there."""
        self.keep_alive.heard(self._board.ticks_ms())

    async def _step(self):
        if await self._network() or await self._register():
            return True
        if not self.registration.is_ready():
            return False
        return await self._time.step() or await self.sender.step()

    async def _network(self):
        """Bring the network up when it is down. Returns True while it is not up."""
        if self._is_connected and self._board.is_connected():
            self._notice_changes()
            return False
        self._log.transition("network", "down")
        if not await self._board.connect():
            await self._board.sleep_ms(IDLE_MS)
            return True
        self._log.transition("network", "up", address=self._board.address())
        self._arrive()
        return False

    def _arrive(self):
        """The network is up: the first time since power-up, or again."""
        now_ms = self._board.ticks_ms()
        self._address = self._board.address()
        self.uplink.forget()
        self.keep_alive.forget()
        self._time.soon()
        if self._is_connected or self.registration.is_started():
            self.registration.reconnected(now_ms)
        else:
            self.registration.start(now_ms, self._first_jitter_s())
        self._is_connected = True

    def _first_jitter_s(self):
        if self._jitter_s is not None:
            return self._jitter_s
        return limits.REGISTRATION_JITTER_S if self._board.reset_cause() == "power" else RESTART_JITTER_S

    def _notice_changes(self):
        if self._tree.revision != self._revision:
            self._revision = self._tree.revision
            self.registration.changed(self._board.ticks_ms())
        if self._board.address() != self._address:
            self._address = self._board.address()
            self.keep_alive.forget()
            self.registration.reconnected(self._board.ticks_ms())

    def _on_settings(self, names):
        if "lifetime_s" in names:
            self.registration.changed(self._board.ticks_ms())

    async def _register(self):
        """Send what the registration wants to send. Returns whether it wanted anything."""
        request = self.registration.next(self._board.ticks_ms())
        if request is None:
            return False
        options = [(coap.URI_QUERY, query.encode()) for query in request.queries]
        options += LINK_FORMAT + SEEN if request.payload else SEEN
        quiet_ms = self.keep_alive.quiet_ms(self._board.ticks_ms())
        response = None
        try:
            response = await self.uplink.ask(request.code, request.path, options, request.payload)
            if response is not None and coap.is_success(response.code):
                self.keep_alive.told(response.option(limits.SEEN_OPTION), quiet_ms)
        finally:
            # Also when this task is cancelled: a request that is never settled would be the last one ever.
            self._settle(response, self._board.ticks_ms())
        return True

    def _settle(self, response, now_ms):
        """Tell the registration what came of its request, and the others what came of the registration."""
        if response is None:
            self.registration.unanswered(now_ms)
            self._log.transition("registration", "unanswered")
            return
        word = self.registration.answered(response.code, now_ms, location(response), response.uint(coap.MAX_AGE))
        self._log.transition("registration", word, code=coap.format_code(response.code))
        if word == "registered":
            self.uplink.end_observations()
            self._queue.retry()
            self._time.soon()

    def _draw(self, n):
        """A true random int, 0..n-1."""
        return int.from_bytes(self._board.random(4), "big") % n
