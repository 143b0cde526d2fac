"""The TLV format of LwM2M 1.0, to read only: bootstrap servers of other makes write it. Borrowed (firmware.rarely).

Source: OMA-TS-LightweightM2M_Core-V1_1 section 7.4.3 and its table 7.4.3-1, appendix C (types).
"""

from contract.objects import find_in
from contract.paths import Path
from contract.senml import ObjectLink, Record
from firmware.codec.text import decode_utf8
from firmware.lwm2m.errors import BadRequest

# Bits 7 and 6 of the first byte.
INSTANCE = 0
RESOURCE = 3


def decode(object, path, data):
    """Yield the records of a write of `data` to `path`, which is in the contract's `object`.

    Resources that the contract does not know, and multiple ones, of which bootstrap has none, are passed over: whether
    what came is enough is not the codec's business. Raises BadRequest.
    """
    for kind, number, value in _entries(data):
        if kind == INSTANCE:
            if path.resource is not None or path.instance not in (None, number):
                raise BadRequest("TLV: object instance %d does not fit" % number, path)
            instance = Path(path.object, number, None, None)
            for inner, id, one in _entries(value):
                yield from _resource(object, instance, inner, id, one)
        else:
            if path.instance is None or path.resource not in (None, number):
                raise BadRequest("TLV: resource %d does not fit" % number, path)
            yield from _resource(object, path, kind, number, value)


def _resource(object, at, kind, id, value):
    resource = find_in(object, id)
    if kind == RESOURCE and resource is not None:
        path = Path(at.object, at.instance, id, None)
        try:
            yield Record(path, None, _TYPES[resource.type](bytes(value)))
        except (ValueError, KeyError):
            raise BadRequest("TLV: the value is not of type %s" % (resource.type or "executable"), path) from None


def _entries(data):
    """Yield (kind, number, value) of each entry; raises BadRequest."""
    view = memoryview(data)
    at = 0
    while at < len(view):
        head = view[at]
        number_at = at + 1
        length_at = number_at + (2 if head & 0x20 else 1)
        value_at = length_at + (head >> 3 & 3)
        length = head & 7
        if value_at > length_at:
            length = int.from_bytes(bytes(view[length_at:value_at]), "big")
        if value_at + length > len(view):
            raise BadRequest("TLV: the entry at byte %d is cut off" % at)
        yield head >> 6, int.from_bytes(bytes(view[number_at:length_at]), "big"), view[value_at : value_at + length]
        at = value_at + length


def _integer(data):
    if len(data) not in (1, 2, 4, 8):
        raise ValueError
    number = int.from_bytes(data, "big")
    return number - (1 << 8 * len(data)) if data[0] & 0x80 else number


def _boolean(data):
    return {b"\0": False, b"\1": True}[data]


def _link(data):
    if len(data) != 4:
        raise ValueError
    return ObjectLink(data[0] << 8 | data[1], data[2] << 8 | data[3])


_TYPES = {
    "Integer": _integer,
    "Boolean": _boolean,
    "String": decode_utf8,
    "Opaque": bytes,
    "Objlnk": _link,
}
