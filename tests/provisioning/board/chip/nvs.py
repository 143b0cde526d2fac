"""Runs on the VM: NVS in its partition, entry by entry, as ESP-IDF lays it out; `esp32.NVS` with the port's two types.

After "NVS internals" in ESP-IDF's documentation, version 2 (blobs in chunks with an index).
"""

import binascii
import struct

from flash import SECTOR, Partition, erase, program, read

NOT_FOUND = -0x1102
TYPE_MISMATCH = -0x1103
NO_SPACE = -0x1105
BAD_LENGTH = -0x110C

ACTIVE = 0xFFFFFFFE
FULL = 0xFFFFFFFC
EMPTY = 0xFFFFFFFF
ENTRIES = 126
U8, I32, BLOB_DATA, BLOB_INDEX = 0x01, 0x14, 0x42, 0x48
ANY_CHUNK = 0xFF


def crc(data):
    return binascii.crc32(data, 0xFFFFFFFF)


class Page:
    """One sector of NVS. An entry's state is two bits: 3 free, 2 written, 0 erased."""

    def __init__(self, address):
        self.address = address
        head = bytearray(32)
        read(address, head)
        self.state, self.sequence, self.version = struct.unpack_from("<IIB", head)
        self.is_good = self.state in (ACTIVE, FULL) and crc(head[4:28]) == struct.unpack_from("<I", head, 28)[0]
        self._bits = bytearray(32)
        read(address + 32, self._bits)

    def entry_state(self, index):
        return self._bits[index // 4] >> index % 4 * 2 & 3

    def mark(self, index, count, state):
        for number in range(index, index + count):
            self._bits[number // 4] &= ~((~state & 3) << number % 4 * 2)
        program(self.address + 32, self._bits)

    def at(self, index, count=1):
        data = bytearray(32 * count)
        read(self.address + 64 + index * 32, data)
        return data

    def free_from(self):
        """The first of the free entries at the end."""
        index = ENTRIES
        while index and self.entry_state(index - 1) == 3:
            index -= 1
        return index

    def entries(self):
        """Yield (index, namespace, type, span, chunk, key, value) of the valid ones."""
        index = 0
        while index < ENTRIES:
            span = 1
            if self.entry_state(index) == 2:
                data = self.at(index)
                namespace, kind, span, chunk, check = struct.unpack_from("<BBBBI", data)
                if check == crc(bytes(data[:4]) + bytes(data[8:])) and 0 < span <= ENTRIES - index:
                    yield index, namespace, kind, span, chunk, bytes(data[8:24]).split(b"\0")[0].decode(), data[24:]
                else:
                    span = 1
            index += span

    def start(self, sequence):
        erase(self.address)
        head = struct.pack("<IIB19s", ACTIVE, sequence, 0xFE, b"\xff" * 19)
        program(self.address, head + struct.pack("<I", crc(head[4:28])))
        self.__init__(self.address)

    def close(self):
        program(self.address, struct.pack("<I", FULL))
        self.state = FULL


class Store:
    """The whole partition."""

    def __init__(self):
        _, _, offset, size, _, _ = Partition("nvs").info()
        self._pages = [Page(offset + at) for at in range(0, size, SECTOR)]

    def _good(self):
        return sorted([page for page in self._pages if page.is_good], key=lambda page: page.sequence)

    def find(self, namespace, kinds, key, chunk=None):
        """(page, index, type, span, value) of the newest, or None."""
        found = None
        for page in self._good():
            for index, space, kind, span, number, name, value in page.entries():
                if space == namespace and name == key and kind in kinds and chunk in (None, number):
                    found = (page, index, kind, span, value)
        return found

    def namespace(self, name, make):
        found = self.find(0, (U8,), name)
        if found:
            return found[4][0]
        if not make:
            return None
        used = [value[0] for page in self._good() for _, space, _, _, _, _, value in page.entries() if space == 0]
        index = max(used + [0]) + 1
        self.write(0, U8, name, bytes([index]))
        return index

    def remove(self, found):
        page, index, _, span, _ = found
        page.mark(index, span, 0)

    def write(self, namespace, kind, key, value, chunk=ANY_CHUNK, data=b""):
        """Append an entry, with its data in the entries after it."""
        span = 1 + (len(data) + 31) // 32
        page = self._room(span)
        head = struct.pack("<BBBB", namespace, kind, span, chunk)
        tail = struct.pack("<16s8s", key.encode(), value + b"\xff" * (8 - len(value)))
        index = page.free_from()
        padding = b"\xff" * (32 * (span - 1) - len(data))
        program(page.address + 64 + index * 32, head + struct.pack("<I", crc(head + tail)) + tail + data + padding)
        page.mark(index, span, 2)

    def _room(self, span):
        good = self._good()
        active = [page for page in good if page.state == ACTIVE]
        if active and ENTRIES - active[-1].free_from() >= span:
            return active[-1]
        if active:
            active[-1].close()
        spare = [page for page in self._pages if not page.is_good]
        if not spare or span > ENTRIES:
            raise OSError(NO_SPACE)
        sequence = good[-1].sequence + 1 if good else 0
        spare[0].start(sequence)
        if len(spare) == 1:
            self._compact(spare[0], good)
        if ENTRIES - spare[0].free_from() < span:
            raise OSError(NO_SPACE)
        return spare[0]

    def _compact(self, to, pages):
        """One page must stay free: copy what is valid in the emptiest one, and erase that."""
        poorest = min(pages, key=lambda page: sum(entry[3] for entry in page.entries()))
        for index, _, _, span, _, _, _ in list(poorest.entries()):
            free = to.free_from()
            program(to.address + 64 + free * 32, poorest.at(index, span))
            to.mark(free, span, 2)
        erase(poorest.address)
        poorest.__init__(poorest.address)


class NVS:
    """As `esp32.NVS`: i32 and blobs. What is set is written at once; `commit` has nothing left to do."""

    def __init__(self, namespace):
        if len(namespace) > 15:
            raise OSError(-0x1109)
        self._name = namespace

    def get_i32(self, key):
        found = self._find((I32,), key)
        return struct.unpack("<i", found[1][4][:4])[0]

    def set_i32(self, key, value):
        self._replace(key, lambda store, space: store.write(space, I32, key, struct.pack("<i", value)))

    def get_blob(self, key, buffer):
        store, index = self._find((BLOB_INDEX,), key)
        size, chunks, start = struct.unpack_from("<IBB", index[4])
        if size > len(buffer):
            raise OSError(BAD_LENGTH)
        at = 0
        for number in range(start, start + chunks):
            chunk = store.find(store.namespace(self._name, False), (BLOB_DATA,), key, number)
            if chunk is None:
                raise OSError(NOT_FOUND)
            page, first, _, span, value = chunk
            length, _, check = struct.unpack_from("<HHI", value)
            data = bytes(page.at(first + 1, span - 1)[:length])
            if crc(data) != check:
                raise OSError(NOT_FOUND)
            buffer[at : at + length] = data
            at += length
        return size

    def set_blob(self, key, data):
        data = bytes(data)

        def write(store, space):
            store.write(space, BLOB_DATA, key, struct.pack("<HHI", len(data), 0xFFFF, crc(data)), 0, data)
            store.write(space, BLOB_INDEX, key, struct.pack("<IBBH", len(data), 1, 0, 0xFFFF))

        self._replace(key, write)

    def erase_key(self, key):
        store, _ = self._find((I32, BLOB_INDEX), key)
        self._remove_all(store, store.namespace(self._name, False), key)

    def commit(self):
        pass

    def _find(self, kinds, key):
        store = Store()
        space = store.namespace(self._name, False)
        found = store.find(space, kinds, key) if space is not None else None
        if found is None:
            raise OSError(NOT_FOUND)
        return store, found

    def _remove_all(self, store, space, key):
        while True:
            found = store.find(space, (I32, BLOB_INDEX, BLOB_DATA), key)
            if found is None:
                return
            store.remove(found)

    def _replace(self, key, write):
        if len(key) > 15:
            raise OSError(-0x1109)
        store = Store()
        space = store.namespace(self._name, True)
        self._remove_all(store, space, key)
        write(store, space)
