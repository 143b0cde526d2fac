# mypy: ignore-errors
# ruff: noqa: F821
"""A probe on an RP2040 (a plain Pico: the radio of a Pico W needs the second PIO). Eight channels, 8 ns steps.

Each channel has a state machine, whose X counts steps of two cycles down while it watches its pin; at an edge it pushes
the steps so far, and the DMA carries them into a ring, so that MicroPython may be late by as much as a ring holds. All
state machines wait for one pin of the probe itself to rise: they leave in the same cycle, across both PIOs, and so all
channels share one clock. Counter, ticks_us and ADC hang on one crystal.

At 250 MHz a step is 8 ns. That is above the 200 MHz that RP2040 is rated for, though boards commonly do it; with
CLOCK_HZ = 125_000_000 a step is 16 ns and nothing else changes. An edge costs three steps, in which the pin is not
seen: a pulse under 24 ns may be missed. Each 2**32 steps (34 s), and only while the pin is low, X loses half a step.

Source of truth: RP2040 datasheet, chapters 2.5 (DMA), 3 (PIO), 4.9 (ADC); MicroPython's rp2 module.
"""

import sys
import time
from binascii import hexlify

import machine
import rp2
import uctypes

from hil.probe.stream import serve

CLOCK_HZ = 250_000_000
CYCLES_A_STEP = 2
PINS = (2, 3, 4, 5, 6, 7, 8, 9)
START_PIN = 22  # nothing is wired to it: it is the starting pistol
SENSOR_PIN = 26

RING_BITS = 13
COUNT = 0x0FFFFFFF  # transfers of one start: 37 hours of 1 kHz; then the channel counts as overflowed

_PIO = (0x50200000, 0x50300000)
_FDEBUG, _RXF0 = 0x08, 0x20
_ADC_CS, _ADC_FCS, _ADC_FIFO, _ADC_DIV = 0x4004C000, 0x4004C008, 0x4004C00C, 0x4004C010
_ADC_DREQ = 36
_ADC_HZ = 48_000_000
_MOST_SAMPLES = 20_000


@rp2.asm_pio(fifo_join=rp2.PIO.JOIN_RX)
def stamp_edges():
    mov(x, invert(null))
    wait(1, gpio, 22)  # START_PIN; names of this module are not seen in here
    label("low")
    jmp(pin, "rise")
    jmp(x_dec, "low")
    jmp("low")
    label("rise")
    mov(isr, invert(x))
    push(noblock)
    jmp(x_dec, "rise1")
    label("rise1")
    jmp(x_dec, "rise2")
    label("rise2")
    jmp(x_dec, "high")
    wrap_target()
    label("high")
    jmp(pin, "still")
    mov(isr, invert(x))
    push(noblock)
    jmp(x_dec, "fall1")
    label("fall1")
    jmp(x_dec, "fall2")
    label("fall2")
    jmp(x_dec, "low")
    jmp("low")
    label("still")
    jmp(x_dec, "high")
    wrap()


class Capture:
    """Channel n is at PINS[n]."""

    CHANNELS = len(PINS)
    COUNTER_BITS = 32
    STEP_PS = CYCLES_A_STEP * 1_000_000_000_000 // CLOCK_HZ
    # A step to either side; the two stages of the pin's synchroniser delay all channels alike.
    UNCERTAINTY_NS = 2 * STEP_PS // 1000
    RING_WORDS = (1 << RING_BITS) // 4

    def __init__(self):
        machine.freq(CLOCK_HZ)
        self._pins = [machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_DOWN) for number in PINS]
        self._pistol = machine.Pin(START_PIN, machine.Pin.OUT, value=0)
        size = 1 << RING_BITS
        # The DMA wraps an address at a multiple of the ring's size.
        self._memory = bytearray((self.CHANNELS + 1) * size)
        first = -uctypes.addressof(self._memory) % size
        whole = memoryview(self._memory)
        self._rings = [whole[first + number * size : first + (number + 1) * size] for number in range(self.CHANNELS)]
        self._machines = [rp2.StateMachine(n, stamp_edges, jmp_pin=pin) for n, pin in enumerate(self._pins)]
        self._dma = [rp2.DMA() for _ in PINS]
        self._adc_dma = rp2.DMA()
        self._read = [0] * self.CHANNELS
        self._mask = self._lost = 0
        self._samples = b""

    def name(self):
        return "rp2040-pio " + hexlify(machine.unique_id()).decode() + " " + sys.version

    def ticks_us(self):
        return time.ticks_us()

    def start(self, mask):
        self._pistol.value(0)
        for number in range(self.CHANNELS):
            self._machines[number].active(0)
            self._dma[number].active(0)
        self._mask, self._lost = mask, 0
        for number in range(self.CHANNELS):
            self._read[number] = 0
            if mask >> number & 1:
                self._load(number)
        for base in _PIO:
            machine.mem32[base + _FDEBUG] = 0xF
        self._pistol.value(1)
        return time.ticks_us()

    def _load(self, number):
        """Ready to go, waiting for the pistol; the FIFO is empty."""
        self._machines[number].init(stamp_edges, jmp_pin=self._pins[number])
        dma = self._dma[number]
        half, place = divmod(number, 4)
        ctrl = dma.pack_ctrl(
            size=2, inc_read=False, inc_write=True, ring_sel=True, ring_size=RING_BITS, treq_sel=8 * half + 4 + place
        )
        source = _PIO[half] + _RXF0 + 4 * place
        dma.config(read=source, write=self._rings[number], count=COUNT, ctrl=ctrl, trigger=True)
        self._machines[number].active(1)

    def drain(self, channel, most):
        if not self._mask >> channel & 1:
            return b""
        read = self._read[channel]
        start = read % self.RING_WORDS
        count = min(COUNT - self._dma[channel].count - read, most, self.RING_WORDS - start)
        words = bytes(self._rings[channel][4 * start : 4 * (start + count)])
        written = COUNT - self._dma[channel].count
        if written - read > self.RING_WORDS or written == COUNT:
            self._lost |= 1 << channel  # overwritten, at the latest while it was copied
        self._read[channel] = read + count
        return words

    def levels(self):
        return sum([pin.value() << channel for channel, pin in enumerate(self._pins)])

    def overflowed(self):
        """RXSTALL is set when a push found its FIFO full."""
        stalled = machine.mem32[_PIO[0] + _FDEBUG] & 0xF | (machine.mem32[_PIO[1] + _FDEBUG] & 0xF) << 4
        return (self._lost | stalled) & self._mask

    def sample(self, period_ns, count):
        """(ticks at the first sample, true period in ns); None when it is asked for more than there is room for."""
        if not 0 < count <= _MOST_SAMPLES:
            return None
        cycles = min(max(period_ns * 48 // 1000, 96), 65535)
        machine.ADC(machine.Pin(SENSOR_PIN))
        machine.mem32[_ADC_FCS] = 1 << 24 | 1 << 3 | 1
        while machine.mem32[_ADC_FCS] >> 16 & 0xF:
            machine.mem32[_ADC_FIFO]
        machine.mem32[_ADC_DIV] = (cycles - 1) << 8
        self._samples = bytearray(2 * count)
        ctrl = self._adc_dma.pack_ctrl(size=1, inc_read=False, inc_write=True, treq_sel=_ADC_DREQ)
        self._adc_dma.config(read=_ADC_FIFO, write=self._samples, count=count, ctrl=ctrl, trigger=True)
        begun = time.ticks_us()
        machine.mem32[_ADC_CS] = (SENSOR_PIN - 26) << 12 | 1 << 3 | 1
        return begun, cycles * 1_000_000_000 // _ADC_HZ

    def is_sampled(self):
        return not self._adc_dma.active()

    def samples(self):
        machine.mem32[_ADC_CS] = 1
        machine.mem32[_ADC_FCS] = 0
        return self._samples


def main():
    serve(Capture())
