"""Object instances in the little room that a lamp has for them: each packed as CBOR, unpacked when it is asked for.

A whole schedule takes 3 KB so, and 9 KB as dicts on an ESP32.
"""

from firmware.codec import cbor


class Instances:
    """{(object, instance): {resource: value or {resource instance: value}}}; what is got is a copy.

    Inside, a key is one small integer, which needs no memory of its own.
    """

    def __init__(self, packed=None):
        self._packed = packed or {}

    def __iter__(self):
        return iter([(number >> 16, number & 0xFFFF) for number in self._packed])

    def keys(self):
        """Return the keys as integers, object << 16 | instance, ascending."""
        return tuple(sorted(self._packed))

    def __len__(self):
        return len(self._packed)

    def get(self, key, default=None):
        """Return the values of an instance, or `default`."""
        return self[key] if _number(key) in self._packed else default

    def __getitem__(self, key):
        return cbor.decode(self._packed[_number(key)])

    def __setitem__(self, key, values):
        self._packed[_number(key)] = cbor.encode(values)

    def drop(self, key):
        """Forget an instance; one that is not there is no error."""
        self._packed.pop(_number(key), None)

    def copy(self):
        return Instances(self._packed.copy())

    def encode(self):
        """Return all of them as one CBOR item, an array of [object, instance, values], in parts (bytes each), so that
        the values are not copied."""
        buffer = bytearray()
        cbor.encode_head(buffer, cbor.ARRAY, len(self._packed))
        parts = [buffer]
        for number in sorted(self._packed):
            buffer = bytearray()
            cbor.encode_head(buffer, cbor.ARRAY, 3)
            cbor.encode_into(buffer, number >> 16)
            cbor.encode_into(buffer, number & 0xFFFF)
            parts.append(buffer)
            parts.append(self._packed[number])
        return parts


def decode(data, objects):
    """Return the `Instances` of what `encode` gave (as bytes, or a View of them), of these `objects` only. Raises
    ValueError for anything else."""
    reader = cbor.Reader(data)
    packed = {}
    for _ in range(_length(reader)):
        if _length(reader) != 3:
            raise ValueError("no instance of a schedule")
        object, instance, start = reader.item(), reader.item(), reader.at
        if (
            object not in objects
            or type(instance) is not int
            or not 0 <= instance <= 0xFFFF
            or not isinstance(reader.item(), dict)
        ):
            raise ValueError("no instance of a schedule")
        packed[_number((object, instance))] = data[start : reader.at]
    reader.end()
    return Instances(packed)


def _number(key):
    return key[0] << 16 | key[1]


def _length(reader):
    length = reader.open_array()
    if length is None:
        raise ValueError("an array without its length")
    return length
