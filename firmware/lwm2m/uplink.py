"""The server, as something to ask: where it is, one question at a time, and plain answers for what can go wrong."""

from firmware.coap import message as coap
from firmware.coap.errors import CoapError, MessageError, Unverified

# Four transmissions of RFC 7252 (0, 2-3, 6-9, 14-21 s), less the longest waits: a network that is back is noticed
# within this time, and the registration's own back-off goes on from there.
PATIENCE_MS = 20000

# For an answer that is worth nothing when it is late.
MOMENT_MS = 2000

# So many answers in the open, and none that is verified between them, are believed.
DOUBTS = 3


class Uplink:
    """`resolve(host, port) -> address` blocks while DNS answers and raises OSError; `endpoint` is a
    coap.endpoint.Endpoint; `identity` has `server_host` and `server_port`; `heard()` is called for each response of the
    server's own.

    `is_verified`: whether the last response was the server's own, or came in the open, where anybody may have said it.
    """

    def __init__(self, endpoint, resolve, identity, log, heard):
        self._endpoint = endpoint
        self._resolve = resolve
        self._identity = identity
        self._log = log
        self._heard = heard
        self._address = None
        self._doubts = 0
        self.is_verified = True

    async def ask(self, code, path, options=(), payload=b""):
        """The server's response (Message), or None when there was no usable one.

        An error answered in the open (the server lacks our keys) is a response as well, without options or payload,
        once it came several times in a row: one bit that flips on the way brings it too, and anybody can send it.
        """
        self.is_verified = True
        try:
            response = await self._request(code, path, options, payload, PATIENCE_MS, True)
        except Unverified as error:
            self._doubts += 1
            if self._doubts < DOUBTS:
                self._log.transition("server", "answers in the open", reason=str(error))
                return None
            self._log.transition("server", "refuses our keys", reason=str(error))
            self.is_verified = False
            return coap.Message(error.code)
        except (CoapError, OSError) as error:
            # The server may have moved: ask DNS again next time.
            self._address = None
            self._log.transition("server", "silent", reason=str(error))
            return None
        self._doubts = 0
        self._heard()
        self._log.transition("server", "answers")
        return response

    async def ask_once(self, path, options=()):
        """The response to one GET that is never sent again, or None: one lost datagram says nothing of the server."""
        try:
            response = await self._request(coap.GET, path, options, b"", MOMENT_MS, False)
        except (CoapError, OSError):
            return None
        self._doubts = 0
        self._heard()
        return response

    async def _request(self, code, path, options, payload, timeout_ms, confirmable):
        if self._address is None:
            self._address = self._resolve(self._identity.server_host, self._identity.server_port)
        return await self._endpoint.request(code, path, self._address, options, payload, timeout_ms, confirmable)

    def forget(self):
        """The network is another: ask DNS again."""
        self._address = None

    def end_observations(self):
        """A new registration ends every observation (OMA-TS-LightweightM2M_Core-V1_1 section 6.4)."""
        for observation in list(self._endpoint.observations):
            self._endpoint.observations.end(observation)


def location(response):
    """Location-Path of a response as text, "" when it has none that could be asked for."""
    try:
        return response.location()
    except MessageError:
        return ""
