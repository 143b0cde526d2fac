"""What SenML-JSON writes differently from SenML-CBOR: names for labels, base64url for data. RFC 8428 section 5.

A server that knows CBOR never asks for it: the lamp loads this when it is wanted (firmware.rarely).
"""

import json
from binascii import a2b_base64, b2a_base64

from contract.senml import DATA, JSON_LABELS
from firmware.codec.senml_resolver import BASE_VALUE, BASE_VERSION
from firmware.codec.senml_types import SenmlError
from firmware.codec.text import decode_utf8, is_unicode

_LABELS_OF_JSON = {name: label for label, name in JSON_LABELS.items()}
_LABELS_OF_JSON["bv"] = BASE_VALUE
_LABELS_OF_JSON["bver"] = BASE_VERSION
_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


# A pack has one opening bracket; texts may hold some.
MAX_BRACKETS = 64


def encode(packs):
    """The pack (bytes) of entries, each a sequence of (label, value)."""
    entries = []
    for fields in packs:
        members = ['"%s":%s' % (JSON_LABELS[label], json_value(value)) for label, value in fields]
        entries.append("{" + ",".join(members) + "}")
    return ("[" + ",".join(entries) + "]").encode()


def decode(data):
    """The entries of a pack (bytes) with the labels and values that CBOR would have. Raises SenmlError."""
    # Nesting costs memory (and on CPython stack) before anybody sees that a pack has no use for it.
    if data.count(b"[") > MAX_BRACKETS:
        raise SenmlError("no SenML-JSON: more than %d opening brackets" % MAX_BRACKETS)
    try:
        entries = json.loads(decode_utf8(data))
    except (ValueError, RuntimeError) as error:  # RecursionError of CPython is a RuntimeError
        raise SenmlError("no SenML-JSON: %s" % error) from None
    if not isinstance(entries, list):
        raise SenmlError("no SenML-JSON: an array is expected")
    return [from_json(entry) for entry in entries]


def json_value(value):
    """The JSON text of a field's value. Written here: the two `json` modules escape differently."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, bytes):
        text = b2a_base64(value).decode().rstrip("=\n")
        return '"%s"' % text.replace("+", "-").replace("/", "_")
    pieces = []
    for character in value:
        if character in '"\\':
            pieces.append("\\")
        if ord(character) < 0x20:
            character = "\\u%04x" % ord(character)
        pieces.append(character)
    return '"%s"' % "".join(pieces)


def from_json(entry):
    """A JSON object with the labels and values that CBOR would have."""
    if not isinstance(entry, dict):
        return entry
    fields = {}
    for name, value in entry.items():
        if not is_unicode(name) or (isinstance(value, str) and not is_unicode(value)):
            raise SenmlError("no SenML-JSON: a text holds a surrogate")
        label = _LABELS_OF_JSON.get(name, name)
        fields[label] = _decode_base64url(value) if label == DATA and isinstance(value, str) else value
    return fields


def _decode_base64url(text):
    text = text.rstrip("=")
    for character in text:
        if character not in _BASE64URL:
            raise SenmlError("no SenML-JSON: data is not in base64url")
    if len(text) % 4 == 1:
        raise SenmlError("no SenML-JSON: data is cut short")
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
