"""The registration interface without input or output: what a register or update request says, and whether it may.

Source: LwM2M Core 1.1, section 6.2.1 and 6.4.3 (Table 6.4.3-1); object versions: section 7.2.2.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.device_server import linkformat
from backend.device_server.errors import BAD_REQUEST, PRECONDITION_FAILED, UNSUPPORTED_FORMAT, Refusal
from contract.senml import LINK_FORMAT

DEFAULT_LIFETIME_S = 86400
"""LwM2M 1.1, 6.2.1: when `lt` is missing."""
MAX_LIFETIME_S = 2**31 - 1
VERSIONS = ("1.0", "1.1")
MAX_ENDPOINT = 190
"""Characters; what fits an indexed column in every database."""

_BINDING = re.compile(r"[UMHTSNQ]{1,7}")
_QUERY_NAMES = {"ep", "lt", "lwm2m", "b", "Q", "sms", "pid"}


@dataclass(frozen=True)
class Register:
    """A register request that was understood. `root` is the alternate path before every object path, mostly empty."""

    endpoint: str
    lifetime_s: int
    version: str
    binding: str
    objects: str
    root: tuple[str, ...]
    formats: tuple[int, ...]
    """Content formats from the `ct` attribute of the root link, in the lamp's order."""


@dataclass(frozen=True)
class Update:
    """A registration update; None: unchanged."""

    lifetime_s: int | None
    binding: str | None
    objects: str | None


def parse_register(queries: Sequence[str], content_format: int | None, payload: bytes) -> Register:
    """Read `POST /rd?ep=..&lt=..&lwm2m=..&b=..` with its body. Raises Refusal 4.00, 4.12 (version) or 4.15."""
    values = _queries(queries)
    endpoint = values.get("ep")
    if not endpoint:
        raise Refusal(BAD_REQUEST, "ep: the endpoint name is missing")
    if len(endpoint) > MAX_ENDPOINT or not endpoint.isprintable():
        raise Refusal(BAD_REQUEST, f"ep: at most {MAX_ENDPOINT} printable characters")
    version = values.get("lwm2m", "1.0")
    if version not in VERSIONS:
        raise Refusal(PRECONDITION_FAILED, "lwm2m: this server speaks 1.1 and 1.0")
    objects = _objects(content_format, payload)
    root, formats = read_objects(objects)
    return Register(
        endpoint=endpoint,
        lifetime_s=_lifetime(values["lt"]) if "lt" in values else DEFAULT_LIFETIME_S,
        version=version,
        binding=_binding(values["b"]) if "b" in values else "U",
        objects=objects,
        root=root,
        formats=formats,
    )


def parse_update(queries: Sequence[str], content_format: int | None, payload: bytes) -> Update:
    """Read `POST /rd/<location>?lt=..&b=..` with its optional body. Raises Refusal 4.00 or 4.15."""
    values = _queries(queries)
    if "ep" in values or "lwm2m" in values:
        raise Refusal(BAD_REQUEST, "ep and lwm2m cannot change in an update: register again")
    return Update(
        lifetime_s=_lifetime(values["lt"]) if "lt" in values else None,
        binding=_binding(values["b"]) if "b" in values else None,
        objects=_objects(content_format, payload) if payload else None,
    )


def read_objects(objects: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The alternate path and the content formats that a body announces. Raises Refusal 4.00."""
    try:
        links = linkformat.parse(objects)
    except linkformat.LinkFormatError as error:
        raise Refusal(BAD_REQUEST, f"link format: {error}") from None
    for link in links:
        if (link.attributes.get("rt") or "").strip() == "oma.lwm2m":
            formats = (link.attributes.get("ct") or "").split()
            if not all(word.isascii() and word.isdigit() and len(word) <= 5 for word in formats):
                raise Refusal(BAD_REQUEST, "ct: content formats are numbers separated by spaces")
            return tuple(part for part in link.target.split("/") if part), tuple(int(word) for word in formats)
    return (), ()


def _queries(queries: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for query in queries:
        name, _, value = query.partition("=")
        if name in values:
            raise Refusal(BAD_REQUEST, f"{name}: given twice")
        if name in _QUERY_NAMES:  # RFC 7252, 5.4.5: unknown parameters are the resource's business; ours ignores them
            values[name] = value
    return values


def _lifetime(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= MAX_LIFETIME_S):
        raise Refusal(BAD_REQUEST, f"lt: whole seconds from 1 to {MAX_LIFETIME_S}")
    return int(text)


def _binding(text: str) -> str:
    if not _BINDING.fullmatch(text):
        raise Refusal(BAD_REQUEST, "b: letters of U, M, H, T, S, N, Q")
    return text


def _objects(content_format: int | None, payload: bytes) -> str:
    if content_format is not None and content_format != LINK_FORMAT:
        raise Refusal(UNSUPPORTED_FORMAT, f"content format {content_format}: send link format ({LINK_FORMAT})")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise Refusal(BAD_REQUEST, f"link format: byte {error.start} is not UTF-8") from None
