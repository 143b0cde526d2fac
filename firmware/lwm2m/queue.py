"""Reports that the server has not acknowledged yet: bounded, in RAM and on flash, in the order in which they are sent.

| kind      | kept where                         | when it is full                                                  |
|-----------|------------------------------------|------------------------------------------------------------------|
| FAULT     | flash at once                      | never dropped: a fault that flaps is merged to its first and     |
|           |                                    | latest transitions (`merged` counts what lay between)            |
| SUMMARY   | flash at once                      | the oldest goes, `dropped` counts it                             |
| TELEMETRY | RAM; flash a segment at a time     | the oldest segment goes, `dropped` counts its reports            |

Faults go first, then the oldest of the rest. A report leaves only by `acknowledge`; after a restart a partly
acknowledged segment is sent again, which the server takes for what it is (natural keys). A power cut loses the
telemetry in RAM: with a server in reach at most the report on its way, without one at most limits.REPORTS_IN_RAM.

Flash: `store` has `save(name, bytes)`, `load(name) -> bytes or None`, `delete(name)`. A segment of 20 reports is one
record, so telemetry costs a twentieth of a write a report, and none at all while the server answers.
"""

from collections import namedtuple

from contract import limits
from firmware.codec import cbor
from firmware.errors import StorageError
from firmware.store import whole

FAULT = "faults"
SUMMARY = "summaries"
TELEMETRY = "telemetry"

SEGMENT_REPORTS = 20
SEGMENT_BYTES = 6000  # a record of the store holds 8192
SEGMENTS = limits.TELEMETRY_ON_FLASH // SEGMENT_REPORTS
SUMMARIES = 14  # two weeks of nights
REFUSALS = 3  # a report that the server refuses so often would hold up all others


# One report: `key` (ascending with age), `payload` (bytes), `subject` (fault code; 0 for the other kinds).
Entry = namedtuple("Entry", ("key", "payload", "subject"))


class Queue:
    """Counters: `dropped` reports and `merged` fault transitions, which survive restarts with what is on flash;
    `failures` of the flash since start-up."""

    def __init__(self, store):
        self._store = store
        self._kept = {FAULT: [], SUMMARY: []}
        self._aside = set()
        self._tail = []
        self._head = []
        self._segments = []  # (key of the first report, number of reports, slot), oldest first
        self._refused = (None, 0)
        self._next_key = 1
        self._is_loaded = False
        self.dropped = 0
        self.merged = 0
        self.failures = 0

    def load(self):
        """Find what earlier runs left on flash. The first verb that needs it calls it, so that start-up stays quick."""
        if self._is_loaded:
            return
        self._is_loaded = True
        for slot in range(SEGMENTS):
            found = self._load_record(_name(slot))
            if found:
                self._segments.append((found[0].key, len(found), slot))
                self._next_key = max(self._next_key, found[-1].key + 1)
        self._segments.sort()
        for kind in (FAULT, SUMMARY):
            self._kept[kind] = self._load_record(kind)
            for entry in self._kept[kind]:
                self._next_key = max(self._next_key, entry.key + 1)

    def put(self, kind, payload, subject=0):
        """Add a report; `subject` is the fault's code when `kind` is FAULT."""
        self.load()
        entry = Entry(self._new_key(), payload, subject)
        if kind == TELEMETRY:
            self._tail.append(entry)
            if len(self._tail) > limits.REPORTS_IN_RAM:
                self._spill()
            return
        kept = self._kept[kind]
        kept.append(entry)
        if kind == FAULT and len(kept) > limits.FAULTS_ON_FLASH:
            self._merge(kept)
        if kind == SUMMARY and len(kept) > SUMMARIES:
            self._drop(1)
            del kept[0]
        self._save(kind, kept)

    def waiting(self):
        """How many reports are not acknowledged."""
        self.load()
        spilled = sum([count for _, count, _ in self._segments])
        if self._head:
            spilled += len(self._head) - self._segments[0][1]
        return spilled + len(self._tail) + len(self._kept[FAULT]) + len(self._kept[SUMMARY])

    def next(self):
        """(key, payload) of the report to send now, None when there is none; the same until it is acknowledged."""
        self.load()
        for entry in self._kept[FAULT]:
            if entry.key not in self._aside:
                return entry.key, entry.payload
        if self._segments and not self._head:
            self._read_segment()
        oldest = None
        for entries in (self._kept[SUMMARY], self._head, self._tail):
            if entries and (oldest is None or entries[0].key < oldest.key):
                oldest = entries[0]
        return None if oldest is None else (oldest.key, oldest.payload)

    def acknowledge(self, key):
        """The server has stored the report: forget it. A key that is gone (dropped meanwhile) is ignored."""
        self._aside.discard(key)
        for kind in (FAULT, SUMMARY):
            if _remove(self._kept[kind], key):
                self._save(kind, self._kept[kind])
        if _remove(self._head, key) and not self._head:
            self._delete(_name(self._segments.pop(0)[2]))
        _remove(self._tail, key)

    def refuse(self, key):
        """The server understood and refuses the report. The third time a fault is set aside until `retry`, and any
        other report is dropped."""
        count = self._refused[1] + 1 if self._refused[0] == key else 1
        self._refused = (key, count)
        if count < REFUSALS:
            return
        if any(entry.key == key for entry in self._kept[FAULT]):
            self._aside.add(key)
        else:
            self._drop(1)
            self.acknowledge(key)

    def retry(self):
        """A new registration: the server may know better now, so faults set aside are sent again."""
        self._aside.clear()
        self._refused = (None, 0)

    def flush(self):
        """Before a planned restart: put the telemetry in RAM on flash."""
        self.load()
        while self._tail:
            self._spill()

    def _new_key(self):
        self._next_key += 1
        return self._next_key - 1

    def _drop(self, count):
        self.dropped += count

    def _merge(self, faults):
        """Make room among the faults: of the one with the most transitions, take out the second and third oldest. The
        first keeps when it began, and every later one keeps its state."""
        counts = {}
        for entry in faults:
            counts[entry.subject] = counts.get(entry.subject, 0) + 1
        subject = max(counts, key=lambda code: counts[code])
        places = [place for place, entry in enumerate(faults) if entry.subject == subject]
        # 64 places and some twenty faults: one of them has three transitions at least.
        for place in reversed(places[1:3]):
            self._aside.discard(faults[place].key)
            del faults[place]
            self.merged += 1

    def _spill(self):
        """Move the oldest reports from RAM into a segment on flash; the oldest segment makes room if need be."""
        size = count = 0
        while count < min(SEGMENT_REPORTS, len(self._tail)) and (not count or size < SEGMENT_BYTES):
            size += len(self._tail[count].payload)
            count += 1
        if size > SEGMENT_BYTES and count > 1:
            count -= 1
        entries, self._tail = self._tail[:count], self._tail[count:]
        if len(self._segments) == SEGMENTS:
            _, reports, slot = self._segments.pop(0)
            self._drop(len(self._head) or reports)
            self._head = []
            self._delete(_name(slot))
        slot = min(set(range(SEGMENTS)) - {segment[2] for segment in self._segments})
        if self._save(_name(slot), entries):
            self._segments.append((entries[0].key, count, slot))
        else:
            self._drop(count)

    def _read_segment(self):
        """Bring the oldest segment into RAM; one that has become unreadable is counted as lost."""
        while self._segments and not self._head:
            _, count, slot = self._segments[0]
            self._head = self._load_record(_name(slot))
            if not self._head:
                self._drop(count)
                self._delete(_name(slot))
                del self._segments[0]

    def _save(self, name, entries):
        """Write one record; returns whether flash took it. If not, faults and summaries are still in RAM."""
        try:
            if entries or name == FAULT:
                self._store.save(_record(name), self._encoded(entries))
            else:
                self._store.delete(_record(name))
        except StorageError:
            self.failures += 1
            return False
        return True

    def _encoded(self, entries):
        """The CBOR of [dropped, merged, [[key, subject, payload]...]], in parts: the payloads are not copied."""
        buffer = bytearray()
        cbor.encode_head(buffer, cbor.ARRAY, 3)
        cbor.encode_into(buffer, self.dropped)
        cbor.encode_into(buffer, self.merged)
        cbor.encode_head(buffer, cbor.ARRAY, len(entries))
        parts = [buffer]
        for entry in entries:
            buffer = bytearray()
            cbor.encode_head(buffer, cbor.ARRAY, 3)
            cbor.encode_into(buffer, entry.key)
            cbor.encode_into(buffer, entry.subject)
            cbor.encode_head(buffer, cbor.BYTES, len(entry.payload))
            parts.append(buffer)
            parts.append(entry.payload)
        return parts

    def _delete(self, name):
        try:
            self._store.delete(_record(name))
        except StorageError:
            self.failures += 1

    def _load_record(self, name):
        """The entries of a record, [] when there is none or it cannot be understood (an older firmware's)."""
        record = self._store.view(_record(name))
        if record is None:
            return []
        try:
            reader = cbor.Reader(record)
            if reader.open_array() != 3:
                raise ValueError("no segment")
            dropped, merged = whole(reader.item()), whole(reader.item())
            held = reader.items(reader.open_array())
            entries = [Entry(whole(key), payload + b"", whole(subject)) for key, subject, payload in held]
            reader.end()
            self.dropped = max(self.dropped, dropped)
            self.merged = max(self.merged, merged)
        except (ValueError, TypeError, OSError):
            self.failures += 1
            return []
        return entries


def _record(name):
    return "reports_" + name


def _name(slot):
    return str(slot)


def _remove(entries, key):
    """Take the entry with `key` out of a list; returns whether it was there."""
    for place, entry in enumerate(entries):
        if entry.key == key:
            del entries[place]
            return True
    return False
