"""LwM2M Send: the queue's reports to the server, one at a time, each until it is acknowledged.

Source: OMA-TS-LightweightM2M_Core-V1_1 section 6.4.6, Transport-V1_1 section 6.4.6 (POST /dp).
"""

from contract import limits
from contract.senml import SENML_CBOR
from firmware.coap import message as coap
from firmware.lwm2m.registration import MAX_AGE_HIGH_S

PAUSE_S = 10  # after a failure of the server (5.xx) that says no Max-Age
FORMAT = ((coap.CONTENT_FORMAT, bytes((SENML_CBOR,))),)


class Sender:
    """`is_muted()`: the server does not want Send (/1/0/23). `registration` hears how it goes."""

    def __init__(self, board, uplink, queue, registration, is_muted, log):
        self._board = board
        self._uplink = uplink
        self._queue = queue
        self.registration = registration
        self._is_muted = is_muted
        self._log = log
        self._pause_ms = 0

    async def step(self):
        """Send the next report if there is one and it may go. Returns whether anything was sent."""
        if self._board.ticks_ms() < self._pause_ms or self._is_muted():
            return False
        report = self._queue.next()
        if report is None:
            return False
        response = await self._uplink.ask(coap.POST, limits.DP_PATH, FORMAT, report[1])
        self._settle(report[0], response, self._board.ticks_ms())
        return True

    def _settle(self, key, response, now_ms):
        """What an answer means for the report and for the registration."""
        if response is None:
            self.registration.suspect(now_ms)
        elif coap.is_success(response.code):
            self._queue.acknowledge(key)
            self.registration.heard()
            self._log.transition("reports", "taken")
        else:
            self._log.transition("reports", "refused", code=coap.format_code(response.code))
            self._refused(key, response, now_ms)

    def _refused(self, key, response, now_ms):
        if response.code == coap.NOT_FOUND:
            self.registration.lost(now_ms)
        elif response.code in (coap.UNAUTHORIZED, coap.FORBIDDEN):
            self.registration.refused(now_ms)
        elif response.code >> 5 == 5 or response.code == coap.TOO_MANY_REQUESTS:
            max_age_s = response.uint(coap.MAX_AGE)
            self._pause_ms = now_ms + 1000 * (PAUSE_S if max_age_s is None else min(max_age_s, MAX_AGE_HIGH_S))
        else:
            # This report, or our keys: an update of the registration will tell which. What anybody may have said, such
            # as that a report was changed on its way, costs no report.
            if self._uplink.is_verified:
                self._queue.refuse(key)
            self.registration.suspect(now_ms)
