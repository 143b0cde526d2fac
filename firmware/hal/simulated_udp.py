"""A socket with the ESP32's worst habit: after one empty datagram it is deaf, yet always readable, until made anew.

So the recovery in `firmware.hal.udp` runs in every simulated lamp. The network of the simulation can also be down.
"""

import asyncio

from firmware.hal.udp import Udp


class LatchingUdp(Udp):
    """`is_up()` says whether the network carries anything at the moment."""

    def __init__(self, wait, random, is_up):
        self._is_up = is_up
        self._deaf = False
        Udp.__init__(self, wait, random)

    def send(self, data, address):
        if not self._is_up():
            self.lost += 1
            return False
        return Udp.send(self, data, address)

    async def _readable(self):
        if self._deaf:
            await asyncio.sleep_ms(0)
        else:
            await Udp._readable(self)

    def _read(self, most):
        if self._deaf:
            return b"", None
        data, source = Udp._read(self, most)
        if not self._is_up():
            raise OSError(11)  # EAGAIN: nothing came
        if not data:
            self._deaf = True
        return data, source

    def _bind(self, port):
        Udp._bind(self, port)
        self._deaf = False
