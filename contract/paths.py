"""LwM2M paths: /object/instance/resource/resource instance, each part after the first optional.

Source: OMA LwM2M 1.1 Core, section 7.2 (identifiers) and 6.4 (URI paths). 65535 is reserved and never a valid part.
"""

from collections import namedtuple

LAST_ID = 65534

# A part that is absent is None, and then so is every part after it.
Path = namedtuple("Path", ("object", "instance", "resource", "resource_instance"))

# The whole data model, as composite operations may ask for.
ROOT = Path(None, None, None, None)


class PathError(ValueError):
    """The text is no path. `str()` names the text and says what to write instead."""


def path(object, instance=None, resource=None, resource_instance=None):
    """Return a `Path`. The numbers are trusted: text from outside goes through `parse`."""
    return Path(object, instance, resource, resource_instance)


def parse(text):
    """Return the `Path` of "/3416/0/1" (the first slash may be missing); "/" and "" are `ROOT`. Raises PathError."""
    inner = text[1:] if text.startswith("/") else text
    if not inner:
        return ROOT
    parts = [_number(part, text) for part in inner.split("/")]
    if len(parts) > 4:
        raise PathError(f"path '{text[:40]}' has more than four parts; write /object/instance/resource/instance")
    return Path(*(parts + [None] * (4 - len(parts))))


def format(path):
    """Return "/3416/0/1" for a `Path`, "/" for `ROOT`."""
    return "/" + "/".join([str(part) for part in path if part is not None])


def covers(prefix, path):
    """Say whether `path` is `prefix` itself or lies below it. `ROOT` covers everything."""
    return all(prefix[i] is None or prefix[i] == path[i] for i in range(4))


def order(path):
    """Return a key to sort paths by: numbers as numbers, a parent before its children."""
    return tuple([-1 if part is None else part for part in path])


def _number(part, text):
    # str.isdigit is true for digits that int() refuses on CPython, so the alphabet is spelt out.
    if part and len(part) <= 5 and all(c in "0123456789" for c in part) and (part == "0" or part[0] != "0"):
        number = int(part)
        if number <= LAST_ID:
            return number
    raise PathError(
        f"path '{text[:40]}': '{part[:20]}' is not a number from 0 to {LAST_ID}; write /object/instance/resource"
    )
