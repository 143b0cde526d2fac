"""CoRE link format: what a lamp registers and what Discover answers.

Source: RFC 6690, section 2; LwM2M Core 1.1, 6.4.3. Every refusal names the place and the reason.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LINKS = 1000
"""A lamp lists about 60; objects with many instances stay far below this."""

_NAME = re.compile(r"[A-Za-z0-9!#$&+\-.^_`|~*]+")  # parmname, with the * of ext-value
_TOKEN = re.compile(r"[^\s\",;<>\\]+")


class LinkFormatError(ValueError):
    """The text is no link format; the message names the character and the reason."""


@dataclass(frozen=True)
class Link:
    """`target` is the text between the angle brackets; an attribute without a value is None."""

    target: str
    attributes: Mapping[str, str | None] = field(default_factory=dict)


def parse(text: str) -> list[Link]:
    """The links of `text`, in order; an empty text has none. Raises LinkFormatError."""
    links: list[Link] = []
    at = _skip(text, 0)
    while at < len(text):
        if len(links) == MAX_LINKS:
            raise LinkFormatError(f"more than {MAX_LINKS} links")
        link, at = _link(text, at)
        links.append(link)
        if at == len(text):
            return links
        if text[at] != ",":
            raise LinkFormatError(f"expected , or ; at character {at}")
        at = _skip(text, at + 1)
        if at == len(text):
            raise LinkFormatError("a link is missing after the last comma")
    return links


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _link(text: str, at: int) -> tuple[Link, int]:
    if text[at] != "<":
        raise LinkFormatError(f"a link must begin with < at character {at}")
    end = text.find(">", at)
    if end < 0:
        raise LinkFormatError(f"the link at character {at} has no >")
    target = text[at + 1 : end]
    attributes: dict[str, str | None] = {}
    at = _skip(text, end + 1)
    while at < len(text) and text[at] == ";":
        name, value, at = _attribute(text, _skip(text, at + 1))
        attributes.setdefault(name, value)  # RFC 6690, 2: a parameter occurs once; the first one counts
    return Link(target, attributes), at


def _attribute(text: str, at: int) -> tuple[str, str | None, int]:
    name = _NAME.match(text, at)
    if name is None:
        raise LinkFormatError(f"an attribute name is missing at character {at}")
    at = _skip(text, name.end())
    if at == len(text) or text[at] != "=":
        return name.group(), None, at
    at = _skip(text, at + 1)
    if at < len(text) and text[at] == '"':
        value, at = _quoted(text, at)
    else:
        token = _TOKEN.match(text, at)
        if token is None:
            raise LinkFormatError(f"the value of {name.group()} is missing at character {at}")
        value, at = token.group(), token.end()
    return name.group(), value, _skip(text, at)


def _quoted(text: str, start: int) -> tuple[str, int]:
    parts: list[str] = []
    at = start + 1
    while at < len(text):
        character = text[at]
        if character == '"':
            return "".join(parts), at + 1
        if character == "\\":
            at += 1
            if at == len(text):
                break
        parts.append(text[at])
        at += 1
    raise LinkFormatError(f'the quoted text at character {start} has no closing "')
