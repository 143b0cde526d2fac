"""Time from the server: GET /time over the protected channel, several questions, the clock keeps the best answer.

Unauthenticated time can darken a city, so this is the lamp's first source. The answer is CBOR, one unsigned integer:
UTC milliseconds (contract.limits.TIME_PATH).

A question is sent once and not repeated: the answer to a repeated one is the server's first answer, out of its memory
(RFC 7252 section 4.5), and as old as the repetition is late. Only where none of them comes through one is asked with
all patience, and what that gives is replaced as soon as it can be.
"""

from contract import limits
from contract.senml import CBOR
from firmware.coap import message as coap
from firmware.codec import cbor

SAMPLES = (
    3  # the first pays for what a route learns at its first packet; the best of three is close to the best there is
)
QUESTIONS = 6  # for these samples, on a network that loses some
POOR_MS = 1000  # error bound that nobody leaves at that: steps of a schedule are to come within a second
PERIOD_MS = 3600000  # of RTC time: at 100 ppm a clock that has learnt nothing is off by 360 ms by then
AGAIN_MS = 30000  # of ticks after a failure, of RTC time after a poor answer, and then twice as long each time
SOONEST_MS = 5000  # of ticks: an RTC that runs fast in a simulation must not keep the server busy
UTC_MS_END = 1 << 53  # beyond any date; keeps a hostile integer out of the arithmetic


class Timekeeper:
    """`board` has `ticks_ms`, `rtc_ms` and `rtc_rate`; `clock` is a firmware.clock.Clock."""

    def __init__(self, board, uplink, clock, log):
        self._board = board
        self._uplink = uplink
        self._clock = clock
        self._log = log
        self._rtc_rate = board.rtc_rate
        self._poor_ms = AGAIN_MS
        self.soon()

    def soon(self):
        """The registration or the network is new: ask again at the next step."""
        self._due_rtc_ms = None
        self._due_ms = 0

    async def step(self):
        """Take the time if it is due. Returns whether anything was asked."""
        if self._board.ticks_ms() < self._due_ms:
            return False
        if self._due_rtc_ms is not None and self._board.rtc_ms() < self._due_rtc_ms:
            return False
        taken = await self._samples()
        now_ms, rtc_ms = self._board.ticks_ms(), self._board.rtc_ms()
        bound_ms = self._clock.error_bound_ms(rtc_ms)
        self._due_ms = now_ms + (SOONEST_MS if taken else AGAIN_MS)
        self._due_rtc_ms = rtc_ms + self._period_ms(bound_ms) if taken else None
        self._log.transition("time", "taken" if taken else "not taken", samples=taken, error_bound_ms=bound_ms)
        return True

    def _period_ms(self, bound_ms):
        """RTC ms until the next questions, by how good the clock is now."""
        if 0 <= bound_ms <= POOR_MS * self._rtc_rate:
            self._poor_ms = AGAIN_MS
            return PERIOD_MS
        period_ms = self._poor_ms
        self._poor_ms = min(2 * period_ms, PERIOD_MS)
        return period_ms

    async def _samples(self):
        """Ask until there are enough answers. Returns how many."""
        taken = 0
        for _ in range(QUESTIONS):
            told = await self._sample(self._uplink.ask_once)
            if told is False:
                return taken
            if told:
                taken += 1
                if taken == SAMPLES:
                    break
        if not taken and await self._sample(self._ask_patiently):
            taken = 1
        return taken

    async def _ask_patiently(self, path, options):
        return await self._uplink.ask(coap.GET, path, options)

    async def _sample(self, ask):
        """One question. Returns whether the server told a time, taken by the clock or not; None without an answer."""
        asked_ms = self._board.ticks_ms()
        response = await ask(limits.TIME_PATH, ((coap.ACCEPT, bytes((CBOR,))),))
        # The RTC first: whatever holds the lamp up between the two makes the way longer, and not the time wrong.
        rtc_ms = self._board.rtc_ms()
        round_trip_ms = self._board.ticks_ms() - asked_ms
        if response is None:
            return None
        if response.code != coap.CONTENT:
            return False
        try:
            utc_ms = cbor.decode(response.payload)
        except cbor.CborError:
            utc_ms = None
        if isinstance(utc_ms, bool) or not isinstance(utc_ms, int) or not 0 <= utc_ms < UTC_MS_END:
            self._log.transition("time", "not understood", advice="check the server's version")
            return False
        self._clock.offer(utc_ms, round_trip_ms, rtc_ms)
        return True
