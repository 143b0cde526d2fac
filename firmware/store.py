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

# One record is read and checked in one piece of RAM; the largest of ours (a full schedule) is under 4 KB.
MAX_RECORD_BYTES = 8192

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

    def read(self, name):
        """Return the bytes of file `name` (at most one byte more than any record), None when there is no such file."""
        try:
            with open(self._directory + "/" + name, "rb") as file:
                # MicroPython's read takes as much heap as it is asked for, in one piece: ask for what is there.
                size = file.seek(0, 2)
                file.seek(0)
                return file.read(min(size, DATA_AT + MAX_RECORD_BYTES + 1))
        except OSError as error:
            if error.args and error.args[0] == 2:  # ENOENT; `errno` is not built into every port
                return None
            raise

    def write(self, name, data):
        """Replace file `name` by `data`; returns when it is on flash. Raises OSError."""
        with open(self._directory + "/" + name, "wb") as file:
            # Closing it puts it on littlefs; a flush besides would only make a host wait for its disk.
            file.write(data)
        self._settle()

    def remove(self, name):
        """Remove file `name`; no such file is no error. Raises OSError."""
        try:
            os.remove(self._directory + "/" + name)
        except OSError as error:
            if not error.args or error.args[0] != 2:
                raise
        self._settle()

    def _settle(self):
        if self._sync is not None:
            self._sync()


def encode_slot(sequence, data):
    """Return the bytes of a slot that holds `data` (bytes) as number `sequence` (0..2**32-1)."""
    header = struct.pack(HEADER, MAGIC, FORMAT, sequence, len(data))
    return header + struct.pack(">I", binascii.crc32(data, binascii.crc32(header))) + data


def decode_slot(content):
    """Return (sequence, data) of a whole slot, or None when it is torn, corrupt or of another format."""
    if len(content) < DATA_AT:
        return None
    magic, version, sequence, length = struct.unpack(HEADER, content[:HEADER_BYTES])
    if magic != MAGIC or version != FORMAT or length != len(content) - DATA_AT:
        return None
    data = content[DATA_AT:]
    check = binascii.crc32(data, binascii.crc32(content[:HEADER_BYTES]))
    return (sequence, data) if struct.unpack(">I", content[HEADER_BYTES:DATA_AT])[0] == check else None


class Store:
    """The records of one lamp, by name (letters, digits, underscore).

    `recovered` counts slots that were broken while the record was still found (a cut during a save: normal, but for
    a record that must never go back, such as a sequence number, the reader must know); `lost` counts records with
    nothing whole left; `failures` counts saves that flash did not take. The last two raise the storage fault.
    """

    def __init__(self, directory, sync=None, files=None):
        self._files = files or Files(directory, sync)
        self.recovered = 0
        self.lost = 0
        self.failures = 0

    def is_healthy(self):
        """Return False once a record was lost or could not be written since start-up."""
        return not self.lost and not self.failures

    def load(self, name):
        """Return the bytes last saved as `name`, or None when there are none (or none that are whole: see `lost`)."""
        _, _, data, whole, broken = self._find(name)
        if whole or broken < 2:
            self.recovered += broken
        else:
            self.lost += 1
        return data

    def save(self, name, data, both=False):
        """Keep `data` (bytes) as `name`. With `both`, refresh both slots, so that even one rotten slot cannot bring
        back older data (for sequence numbers that must never go back).

        Raises StorageError; then `load` still returns what was saved before, or `data` if only the last check failed.
        """
        if len(data) > MAX_RECORD_BYTES:
            raise StorageError(
                "record %s has %d bytes, %d is the most" % (name, len(data), MAX_RECORD_BYTES), "write less at once"
            )
        slot, sequence, held, whole, _ = self._find(name)
        if held == data and whole == 2 and not both:
            return
        sequence = (sequence + 1) & 0xFFFFFFFF
        self._write(name, 1 - slot, sequence, data)
        if both or not whole:
            self._write(name, slot, sequence, data)

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
        """Return (slot, sequence, data, whole slots, broken slots) for the newest whole slot; data None: none."""
        found = (1, 0, None)
        whole = broken = 0
        for slot in (0, 1):
            try:
                content = self._files.read(name + SLOTS[slot])
            except OSError:
                content = b""
            if content is None:
                continue
            decoded = decode_slot(content)
            if decoded is None:
                broken += 1
                continue
            if not whole or 0 < (decoded[0] - found[1]) & 0xFFFFFFFF < 0x80000000:
                found = (slot, decoded[0], decoded[1])
            whole += 1
        return found + (whole, broken)

    def _write(self, name, slot, sequence, data):
        content = encode_slot(sequence, data)
        file = name + SLOTS[slot]
        try:
            self._files.write(file, content)
            written = self._files.read(file)
        except OSError as error:
            self.failures += 1
            raise StorageError("flash did not take record %s (%s)" % (name, error), REPLACE) from None
        if written != content:
            self.failures += 1
            raise StorageError("record %s read back differently than written" % name, REPLACE)
