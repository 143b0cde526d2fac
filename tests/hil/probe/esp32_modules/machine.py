"""Pins of an ESP32 whose levels and interrupts a test sets off. Runs on MicroPython."""

_levels = {}
_handlers = {}


def set(number, level):
    _levels[number] = level


def fire(number):
    pin, handler = _handlers[number]
    handler(pin)


def unique_id():
    return b"\x01\x02"


class Pin:
    IN = 0
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, number, mode):
        self._number = number

    def value(self):
        return _levels.get(self._number, 0)

    def irq(self, handler=None, trigger=0):
        if handler is None:
            _handlers.pop(self._number, None)
        else:
            _handlers[self._number] = (self, handler)
