"""How often the controller has started, and whether it starts again and again.

A start is short when the controller was up for less than ten minutes before the next one. Starts after a loss of power
are the normal life of a street lamp and make no loop; the rest (watchdog, software, brownout) do. A start that finds a
loop is one in safe mode (firmware.safe_mode).
"""

from firmware.codec import cbor
from firmware.store import whole

RECORD = "counters"

# So long up, and a start has succeeded. By ticks: it is the software that proves itself, not the simulated night.
STABLE_MS = 600000

# Five short starts in a row: one more than a person with a finger on the reset button makes.
LOOP = 5


class Counters:
    """`boots`: starts in the life of the lamp, this one included; `short`: starts in a row that came too soon; `told`:
    safe mode has told the server of a loop, and since then no start has been good."""

    def __init__(self, store, cause="power"):
        self._store = store
        self.boots = 0
        self.short = 0
        self.told = False
        self.cause = cause
        self._stable = False
        data = store.load(RECORD)
        if data is not None:
            try:
                boots, short, told = cbor.decode(data)
                self.boots, self.short = whole(boots), whole(short)
                self.told = bool(told)
            except (ValueError, TypeError):
                pass

    def begin(self):
        """Count this start and keep the count. Raises StorageError; the count in RAM is right all the same."""
        self.boots += 1
        self.short = 0 if self.cause == "power" else self.short + 1
        self.told = self.told or self.is_looping
        self.save()

    def tick(self, ticks_ms):
        """Say how long the controller is up; after ten minutes the row of short starts is over. Raises StorageError."""
        if not self._stable and ticks_ms >= STABLE_MS:
            self._stable = True
            if self.short or self.told:
                self.short = 0
                self.told = False
                self.save()

    @property
    def is_looping(self):
        """Whether the controller restarts again and again."""
        return self.short >= LOOP

    @property
    def is_suspect(self):
        """Whether that is a fault: also while the one try after safe mode has not proven itself yet."""
        return self.short >= (LOOP - 1 if self.told else LOOP)

    def save(self):
        """Keep what is counted. Raises StorageError."""
        self._store.save(RECORD, cbor.encode([self.boots, self.short, self.told]))
