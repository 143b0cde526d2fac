"""One request to a lamp: protected, block by block where it is large, answered an Echo challenge, or timed out.

Source: RFC 8613 (section 8, Appendix B.1.2), RFC 7959 (Block1 and Block2 as inner options). Sent from the server's
socket to where the lamp was last heard, which is the hole in its NAT. When it is heard from elsewhere while a request
is under way, the hole has moved and no repetition would find it: the request is sealed anew and sent there. The caller
sees to it that a lamp has one request at a time.
"""

import asyncio
from collections.abc import Callable

from aiocoap import Message, error, oscore
from aiocoap.numbers.codes import Code
from aiocoap.numbers.constants import TransportTuning
from aiocoap.optiontypes import BlockOption
from sqlalchemy.exc import SQLAlchemyError

from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.security import Contexts, LampContext
from backend.device_server.tuning import Address, Endpoint, Malformed
from backend.device_server.writer import Overloaded, Stopped
from contract.limits import BLOCK_BYTES

_SIZE_EXPONENT = BLOCK_BYTES.bit_length() - 5
_MOVES = 4
"""How often one message follows a lamp to a new address."""
_CHALLENGES = 4
"""How often one message is sent, if the lamp wants an Echo each time."""
MAX_RESPONSE_BYTES = 65536
"""A whole object of a large third-party lamp; more is refused."""


_REVOKED = "the lamp's key was revoked"


class _Moved(Exception):
    """The lamp was heard from another address."""


class Tuning(TransportTuning):  # type: ignore[misc]
    """Retransmission of RFC 7252, 4.8, with the bounds of the settings."""

    reliability = True

    def __init__(self, ack_timeout_s: float, retransmissions: int) -> None:
        self.ACK_TIMEOUT = ack_timeout_s
        self.MAX_RETRANSMIT = retransmissions


class Requester:
    """Sends requests over the endpoint and gives back responses. `locate(lamp_id)` is where a lamp was last heard;
    `answered(lamp_id)` is called for each answer that is its own, also for one that only asks to be asked again (Echo)
    or for the next block."""

    def __init__(
        self,
        endpoint: Endpoint,
        contexts: Contexts,
        locate: Callable[[int], Address | None],
        answered: Callable[[int], None],
        tuning: Tuning,
        answer_timeout_s: float,
    ) -> None:
        self._locate = locate
        self._answered = answered
        self._endpoint = endpoint
        self._contexts = contexts
        self._tuning = tuning
        self._pending: dict[int, asyncio.Future[Message]] = {}
        # A little over the longest span: aiocoap's own verdict comes first, and only a lamp that acknowledged and
        # fell silent ends here.
        self._timeout_s = tuning.MAX_TRANSMIT_WAIT + answer_timeout_s

    def moved(self, lamp_id: int) -> None:
        """The lamp was heard from a new address: what is under way to the old one goes there."""
        future = self._pending.get(lamp_id)
        if future is not None and not future.done():
            future.set_exception(_Moved())

    def dropped(self, lamp_id: int) -> None:
        """The lamp's key was revoked or replaced: what is under way with the old one ends here, and is not repeated."""
        future = self._pending.get(lamp_id)
        if future is not None and not future.done():
            future.set_exception(LampUnreachable(_REVOKED))

    async def request(
        self, lamp_id: int, context: LampContext | None, code: Code, options: dict[str, object], payload: bytes
    ) -> Message:
        """The whole, unprotected response. `options` by their aiocoap names. Raises LampUnreachable, LampRefused for a
        response that cannot be put together; other error codes are the caller's."""
        response = await self._upload(lamp_id, context, code, options, payload)
        if response.opt.block2 is not None and response.opt.block2.more:
            repeated = payload if len(payload) <= BLOCK_BYTES else b""
            return await self._download(lamp_id, context, code, options, repeated, response)
        return response

    async def _upload(
        self, lamp_id: int, context: LampContext | None, code: Code, options: dict[str, object], payload: bytes
    ) -> Message:
        if len(payload) <= BLOCK_BYTES:
            return await self._exchange(lamp_id, context, _message(code, options, payload))
        at, size_exponent = 0, _SIZE_EXPONENT
        while True:
            size = 16 << size_exponent
            message = _message(code, options, payload[at : at + size])
            more = at + size < len(payload)
            message.opt.block1 = (at // size, more, size_exponent)
            if at == 0:
                message.opt.size1 = len(payload)
            response = await self._exchange(lamp_id, context, message)
            if not more or response.code != Code.CONTINUE:
                return response
            wanted = response.opt.block1
            if wanted is not None and wanted.size_exponent < size_exponent:
                size_exponent = wanted.size_exponent  # RFC 7959, 2.3: later blocks are as small as the lamp asks
            at += size

    async def _download(
        self,
        lamp_id: int,
        context: LampContext | None,
        code: Code,
        options: dict[str, object],
        payload: bytes,
        first: Message,
    ) -> Message:
        body = bytearray(first.payload)
        etag, last = first.opt.etag, first
        while last.opt.block2 is not None and last.opt.block2.more:
            size_exponent = min(last.opt.block2.size_exponent, 6)
            number = len(body) >> size_exponent + 4
            message = _message(code, options, payload)
            message.opt.block2 = BlockOption.BlockwiseTuple(number, False, size_exponent)
            last = await self._exchange(lamp_id, context, message)
            if not last.code.is_successful():
                return last
            block = last.opt.block2
            if block is None or block.start != len(body) or last.opt.etag != etag or not last.payload:
                raise LampRefused("2.05", "the blocks of the response do not fit together")
            body += last.payload
            if len(body) > MAX_RESPONSE_BYTES:
                raise LampRefused("2.05", f"the response is longer than {MAX_RESPONSE_BYTES} bytes")
        first.payload = bytes(body)
        return first

    async def _exchange(self, lamp_id: int, context: LampContext | None, message: Message) -> Message:
        for _ in range(_MOVES):
            try:
                return await self._ask(lamp_id, context, message)
            except _Moved:
                continue
        raise LampUnreachable("the lamp's address changes faster than it answers")

    async def _ask(self, lamp_id: int, context: LampContext | None, message: Message) -> Message:
        if context is None:
            response = await self._send(lamp_id, message.copy())
            self._answered(lamp_id)
            return response
        for _ in range(_CHALLENGES):
            response = await self._protected(lamp_id, context, message)
            if response.code != Code.UNAUTHORIZED or response.opt.echo is None:
                return response
            # The lamp restarted and wants to know that this is fresh. It draws another value when it restarts again,
            # and after each challenge that a repetition of ours drew from it.
            message.opt.echo = response.opt.echo
        raise LampUnreachable("the lamp challenges each answer anew: it restarts faster than it answers")

    async def _protected(self, lamp_id: int, context: LampContext, message: Message) -> Message:
        if context.is_evicted:
            raise LampUnreachable(_REVOKED)
        try:
            await self._reserve(context)
            outer, request_id = context.protect(message)
            response = await self._send(lamp_id, outer)
            inner, _ = context.unprotect(response, request_id)
            self._answered(lamp_id)
        except oscore.NotAProtectedMessage as problem:
            raise LampUnreachable(
                f"the lamp answered {problem.plain_message.code} without protection: it may have lost its keys"
            ) from None
        except (oscore.ProtectionInvalid, Malformed, error.UnparsableMessage, UnicodeDecodeError):
            raise LampUnreachable("the lamp's answer does not decrypt: its keys may differ from ours") from None
        except oscore.ContextUnavailable as problem:
            raise LampUnreachable(str(problem)) from None
        if not inner.code.is_response():
            raise LampUnreachable("the lamp's answer is no response")
        return inner

    async def _reserve(self, context: LampContext) -> None:
        try:
            await self._contexts.ensure_numbers(context)
        except (Overloaded, Stopped, SQLAlchemyError) as problem:
            raise LampUnreachable(
                f"no sequence number could be reserved ({type(problem).__name__}): see to the database"
            ) from None

    async def _send(self, lamp_id: int, message: Message) -> Message:
        message.remote = self._locate(lamp_id)
        if message.remote is None:
            raise LampUnreachable(_REVOKED)
        future, stop = self._endpoint.request(message, self._tuning)
        self._pending[lamp_id] = future
        try:
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            raise LampUnreachable("the lamp acknowledged the request and sent no answer") from None
        except error.ConRetransmitsExceeded:
            raise LampUnreachable("the lamp does not answer") from None
        except error.LibraryShutdown:
            raise LampUnreachable("the device server is stopping") from None
        except error.Error as problem:
            raise LampUnreachable(f"the lamp cannot be reached: {problem or type(problem).__name__}") from None
        finally:
            del self._pending[lamp_id]
            stop()


def _message(code: Code, options: dict[str, object], payload: bytes) -> Message:
    return Message(code=code, payload=payload, **options)
