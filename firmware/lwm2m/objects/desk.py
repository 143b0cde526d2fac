"""Where writes to settings come together: all objects whose writable resources are settings share one owner.

So a request that touches several of them is checked as a whole (two thresholds may move past each other's old values)
and is one record on flash, whole or not at all, whatever the power does.
"""

from contract import faults
from firmware.lwm2m.errors import BadRequest, NotAllowed
from firmware.lwm2m.node import CREATE, DELETE, REPLACE, Node


class Desk:
    """The owner of all `Kept` nodes."""

    def __init__(self, settings):
        self._settings = settings
        self._nodes = {}

    def add(self, node):
        """Take the changes of `node` from now on."""
        self._nodes[node.OBJECT.id] = node

    def prepare(self, changes):
        """Check all `changes` (lwm2m.node.Change); return the function that carries them out. Raises SettingError,
        OverrideError, LwM2MError; the function raises StorageError before it has changed anything."""
        wanted = {}
        effects = []
        for change in changes:
            node = self._nodes[change.object]
            if change.kind == CREATE:
                node.check_create(change.instance, change.values)
            if change.kind == DELETE:
                node.check_delete(change.instance)
            wanted.update(node.wanted(change.values, change.kind == REPLACE))
            effect = node.effect(change.values)
            if effect is not None:
                effects.append(effect)
        if wanted:
            self._settings.check(wanted)

        def commit():
            if wanted:
                self._settings.set(wanted)
            for effect in effects:
                effect()

        return commit


class Kept(Node):
    """An object with one instance whose writable resources are settings, most of them.

    A subclass says where the values of its resources are, by resource id: SETTINGS {id: name of a setting that is read
    and written as it is}, SOURCES {id: "part.attribute"}, an attribute or method found in the parts. Faults are found
    in the contract. For the rest it has `value`, and `wanted` and `effect` where a write is more than a setting. LACKS
    are ids of the contract's resources that this lamp does not have.
    """

    SETTINGS = {}
    SOURCES = {}
    LACKS = ()

    def __init__(self, parts, desk):
        super().__init__(desk)
        self.parts = parts
        ids = [resource.id for resource in self.OBJECT.resources]
        self._present = tuple([id for id in sorted(ids) if id not in self.LACKS])
        self._faults = {}
        for fault in faults.ALL:
            if (
                fault.path is not None
                and fault.path[:2] == (self.OBJECT.id, 0)
                and fault.path.resource_instance is None
            ):
                self._faults[fault.path.resource] = fault.code
        desk.add(self)

    def present(self, instance):
        return self._present

    def read(self, instance, resource):
        if resource in self.SETTINGS:
            return self.parts.settings.get(self.SETTINGS[resource])
        if resource in self.SOURCES:
            value = self.parts
            for name in self.SOURCES[resource].split("."):
                value = getattr(value, name)
            return value() if callable(value) else value
        if resource in self._faults:
            return self.parts.health.is_raised(self._faults[resource])
        return self.value(resource)

    def value(self, resource):
        """Return the value of a resource that is in no table, as `Node.read`."""

    def wanted(self, values, replace):
        """Return {setting: value} for written `values`; with `replace`, those not given go back to their defaults."""
        wanted = {}
        for resource in self.SETTINGS:
            if resource in values:
                wanted[self.SETTINGS[resource]] = values[resource]
            elif replace:
                wanted[self.SETTINGS[resource]] = self.parts.settings.default(self.SETTINGS[resource])
        return wanted

    def effect(self, values):
        """Return what a write does beside settings, a function, or None; raise what makes it impossible."""

    def now_ms(self):
        """UTC ms, None before the clock is set."""
        return self.parts.clock.now_ms(self.parts.board.rtc_ms())

    def measured_s(self):
        """UTC seconds of the meter's last reading (resource 5518), None without one."""
        read_rtc_ms = self.parts.meter.read_rtc_ms
        read_ms = None if read_rtc_ms is None else self.parts.clock.now_ms(read_rtc_ms)
        return None if read_ms is None else read_ms // 1000

    def only(self, value, what):
        """Return the value of resource instance 0 of a multiple resource that has no other here."""
        if list(value) != [0]:
            raise BadRequest("%s has resource instance 0 and no other: the lamp has one output" % what)
        return value[0]

    def refuse_execution(self, resource):
        """Raise NotAllowed for a resource that cannot be executed here."""
        raise NotAllowed("resource %d of %s cannot be executed on this lamp" % (resource, self.OBJECT.name))
