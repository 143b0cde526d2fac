"""Small records on flash that survive a power cut at any moment: two slots each, a sequence number and a CRC in both.

A save writes the slot that holds the older copy, flushes, syncs, and reads it back; the newer copy is not touched until
then. A load takes the newest slot that is whole. The very first save fills both slots, so that one file beside a
missing one can only be a first save that was cut, and two broken files can only be a loss.

Layout of a slot, big endian: b"SLR", format 1, sequence (u32, serial arithmetic of RFC 1982), length (u32), CRC-32
(IEEE 802.3, `binascii.crc32`) over the twelve bytes before it and the data; then the data.
"""

import binascii
import os
import struct

from firmware.errors import StorageError

MAGIC = b"SLR"
FORMAT = 1
HEADER = ">3sBII"
HEADER_BYTES = 12
DATA_AT = 16
SLOTS = (".a", ".b")

# One record is in RAM once; the largest of ours (a full schedule) is under 4 KB.
MAX_RECORD_BYTES = 8192
# Checked piece by piece: a second copy of a record is more than a full heap has in one place.
PIECE_BYTES = 256

ENOENT = 2  # `errno` is not built into every port

REPLACE = "if it happens again, replace the controller: its flash is worn out"


class Files:
    """The door to the flash folder. `sync` is called after each write or removal (the board's `sync`)."""

    def __init__(self, directory, sync=None):
        self._directory = directory
        self._sync = sync
        try:
            os.mkdir(directory)
        except OSError:
            # It is there already; if it could not be made, the first write says so.
            pass

    def pieces(self, name):
        """Yield the bytes of file `name`, PIECE_BYTES at a time. Raises OSError; with ENOENT when there is none."""
        with open(self._directory + "/" + name, "rb") as file:
            while True:
                piece = file.read(PIECE_BYTES)
                if not piece:
                    return
                yield piece

    def read(self, name, start, count):
        """Return at most `count` bytes of file `name` from `start` on. Raises OSError."""
        with open(self._directory + "/" + name, "rb") as file:
            file.seek(start)
            return file.read(count)

    def write(self, name, parts):
        """Replace file `name` by `parts` (bytes each), in a row; returns when it is on flash. Raises OSError."""
        with open(self._directory + "/" + name, "wb") as file:
            # Closing it puts it on littlefs; a flush besides would only make a host wait for its disk.
            for part in parts:
                file.write(part)
        self._settle()

    def remove(self, name):
        """Remove file `name`; no such file is no error. Raises OSError."""
        try:
            os.remove(self._directory + "/" + name)
        except OSError as error:
            if not error.args or error.args[0] != ENOENT:
                raise
        self._settle()

    def _settle(self):
        if self._sync is not None:
            self._sync()


def head_of(sequence, parts):
    """Return the bytes before `parts` (bytes each) in a slot that holds them as number `sequence` (0..2**32-1)."""
    head = struct.pack(HEADER, MAGIC, FORMAT, sequence, sum([len(part) for part in parts]))
    crc = binascii.crc32(head)
    for part in parts:
        crc = binascii.crc32(part, crc)
    return head + struct.pack(">I", crc)


def inspect(pieces):
    """Return (sequence, length, CRC) of a whole slot, given piece by piece (the first has at least its head), or None
    when it is torn, corrupt or of another format."""
    sequence = None
    length = check = crc = 0
    for piece in pieces:
        if sequence is None:
            if len(piece) < DATA_AT:
                return None
            magic, version, sequence, length, check = struct.unpack(HEADER + "I", piece[:DATA_AT])
            if magic != MAGIC or version != FORMAT or length > MAX_RECORD_BYTES:
                return None
            crc = binascii.crc32(piece[DATA_AT:], binascii.crc32(piece[:HEADER_BYTES]))
            left = length + DATA_AT - len(piece)
        else:
            crc = binascii.crc32(piece, crc)
            left -= len(piece)
        if left < 0:
            return None
    return None if sequence is None or left or crc != check else (sequence, length, check)


def whole(value):
    """Return a number that a record holds as an int 0..2**62-1. Raises ValueError or TypeError for anything else."""
    if not 0 <= value < 1 << 62:
        raise ValueError("no count")
    return int(value)


class View:
    """A record on flash, used like bytes: its length, a byte, a slice without a step. A large record has no place in
    RAM in one piece when the heap has been in use for a while. Raises OSError."""

    def __init__(self, files, file, size):
        self._files = files
        self._file = file
        self._size = size
        self._piece = b""
        self._at = 0

    def __len__(self):
        return self._size

    def __getitem__(self, place):
        if isinstance(place, int):
            return self._take(place, 1)[0]
        return self._take(place.start, place.stop - place.start)

    def _take(self, start, count):
        at = start - self._at
        if at < 0 or at + count > len(self._piece):
            self._piece = self._files.read(self._file, DATA_AT + start, max(count, PIECE_BYTES))
            self._at, at = start, 0
        return self._piece[at : at + count]


class Store:
    """The records of one lamp, by name (letters, digits, underscore).

    `recovered` counts slots that were broken while the record was still found (a cut during a save: normal, but for
    a record that must never go back, such as a sequence number, the reader must know); `lost` counts records with
    nothing whole left; `failures` counts saves that flash did not take. The last two raise the storage fault.
    `written` counts the bytes given to flash since start-up, heads of slots included, those that it did not take too
    (they wear it all the same); what the file system adds of its own is not seen here.
    """

    def __init__(self, directory, sync=None, files=None):
        self._files = files or Files(directory, sync)
        self.recovered = 0
        self.lost = 0
        self.failures = 0
        self.written = 0

    def is_healthy(self):
        """Return False once a record was lost or could not be written since start-up."""
        return not self.lost and not self.failures

    def load(self, name):
        """Return the bytes last saved as `name`, or None when there are none (or none that are whole: see `lost`)."""
        file, size = self._newest(name)
        return None if file is None else self._files.read(file, DATA_AT, size)

    def view(self, name):
        """Return what `load` would, to be read where it lies, until it is saved again: a View, or None."""
        file, size = self._newest(name)
        return None if file is None else View(self._files, file, size)

    def _newest(self, name):
        """Return (file, bytes of data) of the newest whole slot, (None, 0) without one; count what is broken."""
        slot, found, whole, broken = self._find(name)
        if whole or broken < 2:
            self.recovered += broken
        else:
            self.lost += 1
        return (None, 0) if found is None else (name + SLOTS[slot], found[1])

    def save(self, name, data, both=False):
        """Keep `data` as `name`: bytes, or a list of bytes that follow one another, which need no place in one piece.
        With `both`, refresh both slots, so that even one rotten slot cannot bring back older data (for sequence numbers
        that must never go back).

        Raises StorageError; then `load` still returns what was saved before, or `data` if only the last check failed.
        """
        parts = [part for part in (data if isinstance(data, list) else [data]) if part]
        size = sum([len(part) for part in parts])
        if size > MAX_RECORD_BYTES:
            raise StorageError(
                "record %s has %d bytes, %d is the most" % (name, size, MAX_RECORD_BYTES), "write less at once"
            )
        slot, found, whole, _ = self._find(name)
        sequence = 0 if found is None else found[0]
        if whole == 2 and not both and self._holds(name + SLOTS[slot], [head_of(sequence, parts)] + parts):
            return
        sequence = (sequence + 1) & 0xFFFFFFFF
        self._write(name, 1 - slot, sequence, parts)
        if both or not whole:
            self._write(name, slot, sequence, parts)

    def delete(self, name):
        """Forget record `name`. A cut in the middle leaves it as it was. Raises StorageError."""
        newest = self._find(name)[0]
        # The newest goes last: were it removed first, a cut would bring the older copy back to life.
        for slot in (1 - newest, newest):
            try:
                self._files.remove(name + SLOTS[slot])
            except OSError as error:
                self.failures += 1
                raise StorageError("flash did not remove record %s (%s)" % (name, error), REPLACE) from None

    def _find(self, name):
        """Return (slot, what `inspect` says of it or None, whole slots, broken slots) for the newest whole slot."""
        newest, found = 1, None
        whole = broken = 0
        for slot in (0, 1):
            try:
                seen = inspect(self._files.pieces(name + SLOTS[slot]))
            except OSError as error:
                if error.args and error.args[0] == ENOENT:
                    continue
                seen = None
            if seen is None:
                broken += 1
                continue
            if found is None or 0 < (seen[0] - found[0]) & 0xFFFFFFFF < 0x80000000:
                newest, found = slot, seen
            whole += 1
        return newest, found, whole, broken

    def _holds(self, file, parts):
        """Return whether a file is `parts`, one after the other, without a copy of them in RAM. Raises OSError."""
        number = at = 0
        for piece in self._files.pieces(file):
            view = memoryview(piece)
            while len(view):
                if number == len(parts):
                    return False
                part = memoryview(parts[number])[at : at + len(view)]
                if part != view[: len(part)]:
                    return False
                view = view[len(part) :]
                at += len(part)
                if at == len(parts[number]):
                    number, at = number + 1, 0
        return number == len(parts)

    def _write(self, name, slot, sequence, parts):
        parts = [head_of(sequence, parts)] + parts
        file = name + SLOTS[slot]
        for part in parts:
            self.written += len(part)
        try:
            self._files.write(file, parts)
            is_written = self._holds(file, parts)
        except OSError as error:
            self.failures += 1
            raise StorageError("flash did not take record %s (%s)" % (name, error), REPLACE) from None
        if not is_written:
            self.failures += 1
            raise StorageError("record %s read back differently than written" % name, REPLACE)
