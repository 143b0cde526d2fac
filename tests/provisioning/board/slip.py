"""SLIP as Espressif's loaders speak it (RFC 1055, a frame begins and ends with 0xC0)."""

END = 0xC0
ESCAPE = 0xDB


def encode(packet):
    """The bytes on the line of one packet."""
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def decode(body):
    """The packet in what stands between two 0xC0; None when an escape in it is none."""
    if ESCAPE not in body:
        return bytes(body)
    packet = body.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
    escapes = body.count(b"\xdb\xdc") + body.count(b"\xdb\xdd")
    return bytes(packet) if body.count(b"\xdb") == escapes else None


class Reader:
    """Makes packets of bytes; what stands between frames goes to `strays`.

    A frame may be open for ever, as on the chip: it ends with the next 0xC0, wherever that comes from.
    """

    def __init__(self, strays):
        self._strays = strays
        self._open = False
        self._body = bytearray()

    def feed(self, data):
        """Yield each whole packet; a damaged escape yields None."""
        at = 0
        while at < len(data):
            end = data.find(b"\xc0", at)
            piece = data[at:] if end < 0 else data[at:end]
            at += len(piece) + 1
            if self._open:
                self._body += piece
            elif piece:
                self._strays(bytes(piece))
            if end < 0:
                return
            if not self._open:
                self._open = True
            elif self._body:
                body, self._body = self._body, bytearray()
                self._open = False
                yield decode(body)
