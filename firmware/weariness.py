"""When an account that bootstrap gave has failed for so long that it is time for another one.

All that stays in the heap of a lamp that was bootstrapped; the rest is borrowed (firmware.bootstrapping).
"""

from firmware.lwm2m.registration import Registration
from firmware.rarely import borrow

# Another account is asked for after five registrations in a row were refused (within four minutes), or a hundred found
# no answer (seven hours), or when the server says so (/1/0/9).
WEARY = 100
REFUSAL = 20
ASKED = 1000


class Watched(Registration):
    """The registration with an account, which may fail for so long that it is time for another one."""

    def __init__(self, app, like):
        """`like`: the Registration in the place of which this one comes."""
        super().__init__(like._endpoint, like._links, like._lifetime_s, like._random, like._interval_ms)
        self._app = app
        self._weariness = 0

    def bootstrap(self):
        """The server executed /1/0/9: once this is answered and an update told so, the bootstrap server is asked."""
        self._weariness = ASKED
        self.trigger(self._app.board.ticks_ms())

    def answered(self, code, now_ms, location="", max_age_s=None):
        word = super().answered(code, now_ms, location, max_age_s)
        if word == "refused":
            self._weary(REFUSAL)
        elif word != "busy":
            self._weary(0 if word in ("registered", "updated") else 1)
        return word

    def unanswered(self, now_ms):
        super().unanswered(now_ms)
        self._weary(1)

    def _weary(self, more):
        if not more and self._weariness < ASKED:
            self._weariness = 0
            return
        self._weariness += more
        if self._weariness >= WEARY:
            self._weariness = 0
            borrow("firmware.bootstrapping").ask(self._app)
