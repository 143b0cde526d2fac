"""The ESP32's `machine`, as far as the board uses it, with the chip's own refusals. `journal` tells what was done.

A test turns the outside world: `Pin.at(n).edge()`, `ADC.microvolts[n]`, `WDT.only`, `cause`.
"""

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

journal = []
cause = PWRON_RESET
highest_hz = 240000000

_pins = {}


class Pin:
    IN = 1
    OUT = 3
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, number, mode=-1, pull=-1, *, value=None):
        if not 0 <= number <= 39 or number in (20, 24, 28, 29, 30, 31):
            raise ValueError("invalid pin")
        if mode == Pin.OUT and number >= 34:
            raise ValueError("pin can only be input")
        self.number = number
        self.mode = mode
        self.level = 0
        self.handler = None
        _pins[number] = self
        if value is not None:
            self.level = value
            journal.append(f"pin {number} {value}")

    @staticmethod
    def at(number):
        return _pins[number]

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level
        journal.append(f"pin {self.number} {level}")
        return None

    def irq(self, handler=None, trigger=3):
        self.handler = handler

    def edge(self):
        if self.handler is not None:
            self.handler(self)


class PWM:
    on = {}

    def __init__(self, pin, *, freq, duty_u16):
        if not 1 <= freq <= 40000000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self.pin = pin
        self.hz = freq
        PWM.on[pin.number] = self
        self.duty_u16(duty_u16)

    def freq(self, hz=None):
        if hz is None:
            return self.hz
        self.hz = hz
        return None

    def deinit(self):
        PWM.on.pop(self.pin.number, None)
        journal.append(f"pwm {self.pin.number} off")

    def duty_u16(self, duty=None):
        if duty is None:
            return self.duty
        if not 0 <= duty <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65535")
        self.duty = duty
        journal.append(f"pwm {self.pin.number} {duty}")
        return None


class DAC:
    def __init__(self, pin):
        if pin.number not in (25, 26):
            raise ValueError("invalid pin")
        self.pin = pin

    def write(self, code):
        if not 0 <= code <= 255:
            raise ValueError("invalid DAC value")
        journal.append(f"dac {self.pin.number} {code}")


class ADC:
    ATTN_11DB = 3
    microvolts = {}

    def __init__(self, pin, *, atten):
        if not 32 <= pin.number <= 39:
            raise ValueError("invalid pin")
        self.pin = pin

    def read_uv(self):
        return ADC.microvolts.get(self.pin.number, 142000)

    def read_u16(self):
        return min(65535, self.read_uv() * 65535 // 3300000)


class WDT:
    only = None

    def __init__(self, *, timeout):
        self.timeout = timeout
        self.fed = 0
        WDT.only = self
        journal.append(f"wdt {timeout}")

    def feed(self):
        self.fed += 1


def freq(hz=None):
    if hz is None:
        return highest_hz
    if hz > highest_hz:
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz or 160MHz")
    journal.append(f"freq {hz}")
    return None


def reset_cause():
    return cause


def reset():
    journal.append("reset")
    raise SystemExit(5)


def unique_id():
    return b"\x24\x0a\xc4\x00\xbe\xef"
