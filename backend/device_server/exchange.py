"""One request of a lamp on its way through the server: who sent it, what it says, and how it is answered."""

from binascii import crc32
from dataclasses import dataclass
from typing import Any

from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.optiontypes import OpaqueOption
from aiocoap.pipe import Pipe

from backend.device_server.errors import BAD_OPTION, Refusal
from backend.device_server.security import LampContext
from backend.device_server.tuning import Address, is_wanted
from contract.limits import SEEN_OPTION

_SEEN = OptionNumber(SEEN_OPTION)
_UNDERSTOOD = frozenset((3, 7, 11, 15, 17, 23, 27))
"""Critical options that a handler looks at, or may pass over: Uri-Host, Uri-Port, Uri-Path, Uri-Query, Accept,
Block2, Block1."""
_UNDERSTOOD_OUTSIDE = frozenset((3, 7, 9))
"""Around an OSCORE message: Uri-Host, Uri-Port, OSCORE. Outer block-wise transfer is not served."""


def check_critical(message: Message, *, outside: bool = False) -> None:
    """Refuse with 4.02 what must be understood and is not (RFC 7252, 5.4.1)."""
    understood = _UNDERSTOOD_OUTSIDE if outside else _UNDERSTOOD
    for option in message.opt.option_list():
        if option.number & 1 and option.number not in understood:
            raise Refusal(BAD_OPTION, f"critical option {int(option.number)} is not understood")


@dataclass(slots=True)
class Exchange:
    """`request` is the inner message; `context` and `request_id` are None for an unprotected one in the laboratory
    mode."""

    pipe: Pipe
    remote: Address
    request: Message
    path: tuple[str, ...]
    context: LampContext | None
    request_id: Any

    @property
    def content_format(self) -> int | None:
        value = self.request.opt.content_format
        return None if value is None else int(value)

    def answer(
        self,
        code: int,
        payload: bytes = b"",
        *,
        content_format: int | None = None,
        max_age_s: int | None = None,
        location: tuple[str, ...] = (),
        block1: tuple[int, bool, int] | None = None,
        seen: bool = False,
    ) -> None:
        """Send the response, protected as the request was; once. Nothing happens when the lamp has given up.
        With `seen`, a lamp that asks is told under which address it is seen (contract.limits.SEEN_OPTION)."""
        if not is_wanted(self.pipe):
            return
        message = Message(code=Code(code), payload=payload)
        if content_format is not None:
            message.opt.content_format = content_format
        if max_age_s is not None:
            message.opt.max_age = max_age_s
        if location:
            message.opt.location_path = location
        if block1 is not None:
            message.opt.block1 = block1
        if seen and self.request.opt.get_option(_SEEN):
            message.opt.add_option(OpaqueOption(_SEEN, crc32(self.remote.text.encode()).to_bytes(4, "big")))
        if self.context is not None:
            message, _ = self.context.protect(message, self.request_id)
        self.pipe.add_response(message, is_last=True)

    def refuse(self, refusal: Refusal) -> None:
        """Answer with the refusal's code and words."""
        self.answer(refusal.code, refusal.diagnostic.encode()[:200], max_age_s=refusal.max_age_s)
