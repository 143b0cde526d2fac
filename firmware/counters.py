"""How often the controller has started, and whether it starts again and again.

A start is short when the controller was up for less than ten minutes before the next one. Starts after a loss of power
are the normal life of a street lamp and make no loop; the rest (watchdog, software, brownout) do.
"""

from firmware.codec import cbor

RECORD = "counters"

# So long up, and a start has succeeded. By ticks: it is the software that proves itself, not the simulated night.
STABLE_MS = 600000

# Five short starts in a row: one more than a person with a finger on the reset button makes.
LOOP = 5


class Counters:
    """`boots`: starts in the life of the lamp, this one included; `short`: starts in a row that came too soon."""

    def __init__(self, store, cause="power"):
        self._store = store
        self.boots = 0
        self.short = 0
        self.cause = cause
        self._stable = False
        data = store.load(RECORD)
        if data is not None:
            try:
                boots, short = cbor.decode(data)
                self.boots, self.short = max(0, int(boots)), max(0, int(short))
            except (ValueError, TypeError):
                pass

    def begin(self):
        """Count this start and keep the count. Raises StorageError; the count in RAM is right all the same."""
        self.boots += 1
        self.short = 0 if self.cause == "power" else self.short + 1
        self._save()

    def tick(self, ticks_ms):
        """Say how long the controller is up; after ten minutes the row of short starts is over. Raises StorageError."""
        if not self._stable and ticks_ms >= STABLE_MS:
            self._stable = True
            if self.short:
                self.short = 0
                self._save()

    @property
    def is_looping(self):
        """Whether the controller restarts again and again."""
        return self.short >= LOOP

    def _save(self):
        self._store.save(RECORD, cbor.encode([self.boots, self.short]))
