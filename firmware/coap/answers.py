"""What has been answered already, so that a repeated message is neither executed nor encrypted twice.

Source: RFC 7252 section 4.5 (message de-duplication).
"""

from collections import namedtuple

# One peer that keeps to NSTART = 1 needs the last answer only; the rest is for peers that are less patient. Answers of
# a kilobyte are rare (block-wise reads); 2 KB of a 128 KB heap hold 20 ordinary ones.
ENTRIES = 16
DATA_BYTES = 2048

Answer = namedtuple("Answer", ("source", "mid", "data", "expires_ms"))


class Answers:
    """Bounded memory of (source, message id) and the datagram that answered it.

    When there are too many bytes the oldest datagrams go first; their message ids are kept, so that a late repeat is
    ignored and not executed again.
    """

    def __init__(self):
        self._entries = []

    def __len__(self):
        return len(self._entries)

    def keep(self, source, mid, data, expires_ms, now_ms):
        """Remember an answer; `data` is None when a repeat is to be ignored."""
        self._entries = [entry for entry in self._entries if entry.expires_ms > now_ms][-(ENTRIES - 1) :]
        self._entries.append(Answer(source, mid, data, expires_ms))
        size = 0
        for place in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[place]
            size += len(entry.data or b"")
            if size > DATA_BYTES and entry.data:
                self._entries[place] = Answer(entry.source, entry.mid, None, entry.expires_ms)

    def find(self, source, mid, now_ms):
        """The Answer to a message received before (its `data` may be None), or None for a new message."""
        for entry in self._entries:
            if entry.mid == mid and entry.source == source and entry.expires_ms > now_ms:
                return entry
        return None
