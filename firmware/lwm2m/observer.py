"""The task that sends notifications when `lwm2m.observations` says so."""

IDLE_MS = 1000


class Observer:
    """`endpoint` is a coap.endpoint.Endpoint, `observations` the lwm2m.observations.Observations of its handler."""

    def __init__(self, board, endpoint, observations):
        self._board = board
        self._endpoint = endpoint
        self._observations = observations

    async def run(self):
        """Notify for ever; only cancellation ends it."""
        while True:
            for handle, message in self._observations.poll(self._board.ticks_ms()):
                self._endpoint.notify(handle, message)
            await self._board.sleep_ms(self._idle_ms())

    def _idle_ms(self):
        deadline_ms = self._observations.deadline_ms()
        if deadline_ms is None:
            return IDLE_MS
        return max(1, min(IDLE_MS, deadline_ms - self._board.ticks_ms()))
