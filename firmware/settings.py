"""Everything about the lamp that may be written (firmware.settings_rules), checked and persisted.

A value comes from the table, then from the provisioned identity (`identity["settings"]`), then from what was written
over the air. Only the last kind is stored, as one CBOR map, so a factory reset is the removal of one record.
"""

from firmware.codec import cbor
from firmware.errors import SettingError
from firmware.rarely import borrow

RECORD = "settings"


class Settings:
    """The values in force. `store` keeps them; `start` are the start values of the identity (a dict by name).

    A start or stored value that is not acceptable (an older table, a typing mistake) is left at its default, because
    nothing may keep the lamp dark; its name is in `ignored` for the log.
    """

    def __init__(self, store, start=None):
        self._store = store
        self._start = {}
        self._written = {}
        self._listeners = []
        self.ignored = []
        rules = borrow("firmware.settings_rules")
        self._defaults = {name: rules.TABLE[name][3] for name in rules.TABLE}
        self._adopt(rules, start or {}, self._start)
        self._adopt(rules, self._load(), self._written)
        for name in rules.PROVISIONED:
            if self._written.pop(name, None) is not None:
                self.ignored.append(name)

    def _load(self):
        data = self._store.load(RECORD)
        if data is None:
            return {}
        try:
            values = cbor.decode(data)
        except Exception:
            values = None
        if isinstance(values, dict):
            return values
        self.ignored.append(RECORD)
        return {}

    def _adopt(self, rules, values, target):
        """Take what is acceptable; a pair that contradicts itself is dropped as a whole."""
        for name in values:
            try:
                target[name] = rules.check_value(name, values[name])
            except SettingError:
                self.ignored.append(name)
        for low, high in rules.ORDERED:
            if (low in target or high in target) and not self.get(low) < self.get(high):
                for name in (low, high):
                    if target.pop(name, None) is not None:
                        self.ignored.append(name)

    def get(self, name):
        """Return the value in force of setting `name`; an unknown name is a KeyError (a mistake in the program)."""
        return self._written[name] if name in self._written else self.default(name)

    def default(self, name):
        """Return what setting `name` is when nobody writes it: the identity's start value, else the table's."""
        return self._start[name] if name in self._start else self._defaults[name]

    def listen(self, callback):
        """Call `callback(names)` after every change, with the names that were written (a collection)."""
        self._listeners.append(callback)

    def check(self, changes):
        """Return `changes` (a dict by name) as they would be held. Raises SettingError; changes nothing."""
        checked = {}
        if not changes:
            return checked
        rules = borrow("firmware.settings_rules")
        for name in changes:
            if name in rules.PROVISIONED:
                raise SettingError(name, "is provisioned: write it into the identity, nothing else changes it")
            checked[name] = rules.check_value(name, changes[name])
        for low, high in rules.ORDERED:
            if low not in checked and high not in checked:
                continue
            floor = checked.get(low, self.get(low))
            ceiling = checked.get(high, self.get(high))
            if not floor < ceiling:
                raise SettingError(
                    low if low in checked else high,
                    "contradicts: %s (%s) must be below %s (%s)" % (low, floor, high, ceiling),
                )
        return checked

    def set(self, changes):
        """Put `changes` in force, all or nothing, after they are on flash. Raises SettingError or StorageError."""
        checked = self.check(changes)
        values = self._written.copy()
        values.update(checked)
        if values != self._written:
            self._store.save(RECORD, cbor.encode(values))
            self._written = values
        self._tell(checked)

    def factory_reset(self):
        """Forget everything that was written over the air; the start values of the identity are in force again."""
        self._store.delete(RECORD)
        names = list(self._written)
        self._written = {}
        self._tell(names)

    def _tell(self, names):
        if names:
            for listener in self._listeners:
                listener(names)
