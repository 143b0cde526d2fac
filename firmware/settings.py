"""Everything about the lamp that may be written (firmware.settings_table), checked and persisted.

A value comes from the table, then from the provisioned identity (`identity["settings"]`), then from what was written
over the air. Only the last kind is stored, as one CBOR map, so a factory reset is the removal of one record.
"""

from firmware.codec import cbor
from firmware.errors import SettingError
from firmware.rarely import borrow

RECORD = "settings"

LAST_S = 0xFFFFFFFF  # 2106: the last moment of an unsigned 32-bit clock

# The first of each pair must be smaller, or the two would be raised at once or never cleared.
ORDERED = (
    ("low_voltage_v", "high_voltage_v"),
    ("low_power_w", "high_power_w"),
    ("low_current_a", "high_current_a"),
    ("on_lux", "off_lux"),
    ("voltage_at_min_v", "voltage_at_max_v"),
    ("minimum_power_w", "nominal_power_w"),
)


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _check_exceptions(name, value):
    """Return daylight saving periods as a list of (start_s, end_s, delta_s) in order, or raise SettingError."""
    exceptions = []
    for entry in value:
        if not isinstance(entry, (list, tuple)) or len(entry) != 3 or not all(_is_int(part) for part in entry):
            raise SettingError(name, "needs three integers (start_s, end_s, delta_s) an entry")
        start_s, end_s, delta_s = entry
        if not 0 <= start_s < end_s <= LAST_S:
            raise SettingError(name, "has a period that does not end after it starts, or lies outside 1970..2106")
        if not -4 * 3600 <= delta_s <= 4 * 3600:
            raise SettingError(name, "has an offset of more than four hours")
        exceptions.append((start_s, end_s, delta_s))
    exceptions.sort()
    for index in range(1, len(exceptions)):
        if exceptions[index][0] < exceptions[index - 1][1]:
            raise SettingError(name, "has periods that overlap")
    return exceptions


def check_value(table, name, value):
    """Return `value` as setting `name` of `table` holds it: an integer becomes a float where one is meant.

    Raises SettingError."""
    if name not in table:
        raise SettingError(name, "does not exist")
    kind, minimum, maximum, _ = table[name]
    if kind == "bool":
        if not isinstance(value, bool):
            raise SettingError(name, "must be true or false")
        return value
    if kind in ("int", "float"):
        if not _is_int(value) and not (kind == "float" and isinstance(value, float)):
            raise SettingError(name, "must be a whole number" if kind == "int" else "must be a number")
        # A NaN is in no range.
        if not minimum <= value <= maximum:
            raise SettingError(name, "must be %s to %s" % (minimum, maximum))
        return value if kind == "int" else float(value)
    if not isinstance(value, str if kind == "str" else (list, tuple)):
        raise SettingError(name, "must be text" if kind == "str" else "must be a list")
    if not minimum <= len(value) <= maximum:
        raise SettingError(name, "may have at most %d %s" % (maximum, "characters" if kind == "str" else "entries"))
    if kind == "exceptions":
        return _check_exceptions(name, value)
    if kind == "ints":
        for entry in value:
            if not _is_int(entry) or not 0 <= entry <= 65535:
                raise SettingError(name, "must hold whole numbers of 0 to 65535")
        return list(value)
    return value


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
        table = borrow("firmware.settings_table").TABLE
        self._defaults = {name: table[name][3] for name in table}
        self._adopt(table, start or {}, self._start)
        self._adopt(table, self._load(), self._written)

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

    def _adopt(self, table, values, target):
        """Take what is acceptable; a pair that contradicts itself is dropped as a whole."""
        for name in values:
            try:
                target[name] = check_value(table, name, values[name])
            except SettingError:
                self.ignored.append(name)
        for low, high in ORDERED:
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
        if changes:
            table = borrow("firmware.settings_table").TABLE
            for name in changes:
                checked[name] = check_value(table, name, changes[name])
        for low, high in ORDERED:
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
