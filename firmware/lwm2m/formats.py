"""Payloads: which content formats carry what, and records to and from them.

SenML-CBOR (112, what the lamp chooses itself) and SenML-JSON (110) carry everything; text/plain (0) and octet-stream
(42) carry the one value of a single resource or a resource instance. TLV (11542) is not spoken here.
Source: OMA-TS-LightweightM2M_Core-V1_1 section 7.4 (data formats) and appendix C (text form of values).
"""

import binascii

from contract import limits
from contract.senml import OPAQUE, SENML_CBOR, SENML_JSON, TEXT, TLV, ObjectLink, Record
from firmware.codec import senml
from firmware.codec.text import decode_utf8
from firmware.lwm2m.errors import BadRequest, NotAcceptable, TooLarge, UnsupportedFormat

_SENML_ENCODERS = {SENML_CBOR: senml.encode_cbor, SENML_JSON: senml.encode_json}
_SENML_DECODERS = {SENML_CBOR: senml.decode_cbor, SENML_JSON: senml.decode_json}

NAMES = {TEXT: "text/plain", OPAQUE: "octet-stream", TLV: "TLV"}
ADVICE = "; use 112 (SenML-CBOR) or 110 (SenML-JSON)"


def encode(accept, records, resource=None):
    """(content format, payload) of `records` in the format `accept` (a number, None: any).

    `resource` is the contract Resource when the request names one value, which text and octet-stream need. Raises
    NotAcceptable, TooLarge.
    """
    format = SENML_CBOR if accept is None else accept
    if format in _SENML_ENCODERS:
        payload = _SENML_ENCODERS[format](records)
    elif format == TEXT and resource is not None:
        payload = _text_of(records[0].value)
    elif format == OPAQUE and resource is not None and resource.type == "Opaque":
        payload = records[0].value
    else:
        raise NotAcceptable("format %s does not carry this answer" % NAMES.get(format, format) + ADVICE)
    if len(payload) > limits.PAYLOAD_BYTES:
        raise TooLarge("the answer has %d bytes, %d is the most; read a part" % (len(payload), limits.PAYLOAD_BYTES))
    return format, payload


def decode(format, payload, path=None, resource=None):
    """Records of a request's payload.

    `format` is the Content-Format option (None: missing); `path` and `resource` (contract Resource) are given when the
    request names one value, so that text and octet-stream may carry it. Raises BadRequest, UnsupportedFormat, TooLarge.
    """
    if len(payload) > limits.PAYLOAD_BYTES:
        raise TooLarge("the payload has %d bytes, %d is the most" % (len(payload), limits.PAYLOAD_BYTES))
    if format is None:
        raise BadRequest("the request says no content format" + ADVICE)
    if format in _SENML_DECODERS:
        try:
            return _SENML_DECODERS[format](payload)
        except ValueError as error:
            raise BadRequest("the payload is no SenML: %s" % error) from None
    if format == TEXT and resource is not None:
        return [Record(path, None, _value_of(resource, payload))]
    if format == OPAQUE and resource is not None and resource.type == "Opaque":
        return [Record(path, None, bytes(payload))]
    raise UnsupportedFormat("format %s cannot carry this request" % NAMES.get(format, format) + ADVICE)


def each(format, payload):
    """Yield the records of a composite request one by one; raises like `decode`, when it comes to what is wrong."""
    if format != SENML_CBOR or len(payload) > limits.PAYLOAD_BYTES:
        yield from decode(format, payload)
        return
    try:
        yield from senml.each_cbor(payload)
    except ValueError as error:
        raise BadRequest("the payload is no SenML: %s" % error) from None


def _text_of(value):
    if isinstance(value, bool):
        value = int(value)
    elif isinstance(value, (bytes, bytearray)):
        return binascii.b2a_base64(value).strip()
    elif isinstance(value, tuple):
        value = "%d:%d" % value
    return str(value).encode()


def _value_of(resource, payload):
    """The value that a text means for a resource. Raises BadRequest."""
    try:
        text = decode_utf8(payload)
        return _TEXT_PARSERS[resource.type](text)
    except (ValueError, KeyError):
        raise BadRequest("the text is not of type %s" % (resource.type or "executable")) from None


def _parse_boolean(text):
    return {"0": False, "1": True}[text]


def _parse_link(text):
    object, instance = text.split(":")
    return ObjectLink(int(object), int(instance))


def parse_integer(text):
    # int() alone would take blanks and underscores, and MicroPython and CPython differ in what else.
    digits = text[1:] if text[:1] == "-" else text
    if not digits or len(digits) > 20 or not all(c in "0123456789" for c in digits):
        raise ValueError(text)
    return int(text)


def parse_float(text):
    if not text or len(text) > 40 or not all(c in "0123456789+-.eE" for c in text):
        raise ValueError(text)
    value = float(text)
    if value - value != 0:
        raise ValueError(text)
    return value


_TEXT_PARSERS = {
    "Integer": parse_integer,
    "Time": parse_integer,
    "Float": parse_float,
    "String": str,
    "Boolean": _parse_boolean,
    "Opaque": binascii.a2b_base64,
    "Objlnk": _parse_link,
}
