"""The probe's loop: hear the computer, fetch what was stamped, tell it, and beat. It knows no chip and no port.

`capture` is the chip (`hil.probe.pio.Capture`), `stream` the port (`hil.probe.stream.Stream`). Both
interpreters run it.
"""

import struct

from hil.probe import wire

_CLOCK_MASK = 0x3FFFFFFF  # of ticks_us


class Program:
    """Call `turn` without a pause; it returns False when the computer asked for the prompt. `boot` is of 32 bits."""

    def __init__(self, capture, stream, boot: int) -> None:  # type: ignore[no-untyped-def]
        self._capture = capture
        self._stream = stream
        self._boot = boot
        self._number = 0
        self._receiver = wire.Receiver()
        self._runs = False
        self._clock_us = 0
        self._ticks = 0
        self._beat_at_us = 0
        self._levels = [0] * capture.CHANNELS  # of the edge to come, so that a level is told with each frame
        self._goes_on = True

    def turn(self) -> bool:
        data = self._stream.read()
        heard_us = self._now_us()
        for kind, _, _, payload in self._receiver.feed(data) if data else ():
            self._answer(kind, payload, heard_us)
        self._work()
        return self._goes_on

    def _work(self) -> None:
        if self._runs:
            self._fetch()
            if self._now_us() >= self._beat_at_us:
                self._beat()

    def _now_us(self) -> int:
        """The clock since STARTED. ticks_us wraps each 18 minutes; a turn takes milliseconds."""
        ticks = self._capture.ticks_us()
        self._clock_us += (ticks - self._ticks) & _CLOCK_MASK
        self._ticks = ticks
        return self._clock_us

    def _answer(self, kind: int, payload: bytes, heard_us: int) -> None:
        chip = self._capture
        if kind == wire.ASK_HELLO:
            head = (wire.VERSION, chip.CHANNELS, chip.COUNTER_BITS, chip.STEP_PS, chip.UNCERTAINTY_NS)
            self._tell(wire.HELLO, struct.pack(wire.HELLO_HEAD, *head) + chip.name().encode())
        elif kind == wire.ASK_START:
            self._ticks = chip.start(struct.unpack(wire.START, payload)[0])
            self._clock_us = 0
            self._beat_at_us = 0
            self._levels = [1] * chip.CHANNELS
            self._runs = True
            self._tell(wire.STARTED)
        elif kind == wire.ASK_SYNC:
            self._fetch()
            token = struct.unpack(wire.TOKEN, payload)[0]
            self._tell(wire.SYNC, struct.pack(wire.SYNC_REPLY, token, heard_us, chip.overflowed()))
        elif kind == wire.ASK_SAMPLE:
            self._sample(*struct.unpack(wire.SAMPLE, payload))
        elif kind == wire.ASK_QUIT:
            self._goes_on = False

    def _fetch(self) -> None:
        """Tell every edge that is stamped. A channel that never rests has its turn once, up to what one ring holds."""
        for channel in range(self._capture.CHANNELS):
            for _ in range(self._capture.RING_WORDS // wire.WORDS_A_FRAME + 1):
                words = self._capture.drain(channel, wire.WORDS_A_FRAME)
                if not words:
                    break
                head = struct.pack(wire.EDGES_HEAD, channel, self._levels[channel], self._now_us())
                self._levels[channel] ^= len(words) // 4 & 1
                self._tell(wire.EDGES, head + words)

    def _beat(self) -> None:
        clock_us = self._now_us()
        self._beat_at_us = clock_us + wire.BEAT_MS * 1000
        self._fetch()
        told = struct.pack(wire.BEAT_BODY, clock_us, self._capture.levels(), self._capture.overflowed())
        self._tell(wire.BEAT, told)

    def _sample(self, period_ns: int, count: int) -> None:
        """Edges go on being stamped and told while the chip samples by itself."""
        begun = self._capture.sample(period_ns, count)
        if begun is None:
            self._tell(wire.WAVE, struct.pack(wire.WAVE_HEAD, 0, period_ns, 0, 0))
            return
        start_us = self._now_us() - ((self._ticks - begun[0]) & _CLOCK_MASK)
        period_ns = begun[1]
        while not self._capture.is_sampled():
            self._work()
        samples = self._capture.samples()
        for first in range(0, count, wire.SAMPLES_A_FRAME):
            head = struct.pack(wire.WAVE_HEAD, start_us, period_ns, count, first)
            self._tell(wire.WAVE, head + bytes(samples[2 * first : 2 * min(count, first + wire.SAMPLES_A_FRAME)]))
            self._work()

    def _tell(self, kind: int, payload: bytes = b"") -> None:
        self._stream.write(wire.encode(kind, self._number, self._boot, payload))
        self._number += 1
