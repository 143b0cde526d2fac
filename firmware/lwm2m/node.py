"""What an LwM2M object is to the tree: `Node`, and `Simple`, the node of most objects, made of functions by resource.

Source: OMA-TS-LightweightM2M_Core-V1_1 section 6.3 (device management operations).

Who checks what. The tree checks existence, R/W/E permission, type, range and mandatory resources from
`contract.objects` before a node hears of anything. A node's `check` adds what only the object knows (an end before its
start). Nothing is written until every check of a request has passed, so `write`, `create` and `delete` must not refuse.

Values are plain: int, float, str, bool, bytes, `(object, instance)` for Objlnk. The value of a multiple-instance
resource is always the whole `{resource instance: value}`; the tree has merged a partial update before the node sees it.
"""

from collections import namedtuple

from firmware.lwm2m.errors import BadRequest, NotAllowed

# One instance's part of a request. `values` is {resource id: value | {resource instance: value}}, empty for DELETE.
Change = namedtuple("Change", ("object", "instance", "values", "kind"))

WRITE = "write"  # the resources given take their values, the others stay
REPLACE = "replace"  # the instance holds exactly the resources given: writable ones not given go back to their default
CREATE = "create"  # the instance does not exist yet
DELETE = "delete"


class Node:
    """Base of every object. A subclass sets `OBJECT` (contract.objects.Object) and has at least `present` and `read`.

    `owner` is who prepares changes: the node itself, or one object shared by several nodes whose changes are taken or
    refused as a whole. An owner offers `prepare(changes) -> commit`.
    """

    OBJECT = None

    def __init__(self, owner=None):
        self.owner = owner or self

    def instances(self):
        """Instance ids that exist now, ascending."""
        return (0,)

    def present(self, instance):
        """Ids of the resources that the instance has, ascending, executable ones included."""
        raise NotImplementedError("present() of %s" % self.OBJECT.name)

    def supports(self, instance, resource):
        """Whether a write or create may name the resource. A node with resources that come and go, or with instances
        that can be created, overrides this."""
        return instance in self.instances() and resource in self.present(instance)

    def read(self, instance, resource):
        """Value, or {resource instance: value}; None when there is no value at present (it is left out of answers)."""
        raise NotImplementedError("read() of %s" % self.OBJECT.name)

    def check(self, instance, values, replace):
        """Raise BadRequest when `values` together make no sense. Must not change anything."""

    def check_create(self, instance, values):
        """Raise NotAllowed when instances cannot be made, BadRequest when this one cannot. Must not change anything."""
        raise NotAllowed("instances of %s cannot be created; write to an existing one" % self.OBJECT.name)

    def check_delete(self, instance):
        """Raise NotAllowed when the instance must stay. Must not change anything."""
        raise NotAllowed("instances of %s cannot be deleted" % self.OBJECT.name)

    def write(self, instance, values, replace):
        """Take checked values. `replace`: writable resources that are not in `values` go back to their default."""
        raise NotImplementedError("write() of %s" % self.OBJECT.name)

    def execute(self, instance, resource, arguments):
        """Run an executable resource; `arguments` is the text of the request, "" for none. May raise BadRequest."""
        raise NotAllowed("%s has nothing to execute" % self.OBJECT.name)

    def create(self, instance, values):
        """Make an instance of checked values."""
        raise NotImplementedError("create() of %s" % self.OBJECT.name)

    def delete(self, instance):
        """Remove an instance."""
        raise NotImplementedError("delete() of %s" % self.OBJECT.name)

    def prepare(self, changes):
        """Check all `changes`; return the function that carries them out. Raises LwM2MError; changes nothing itself."""
        for change in changes:
            if change.kind == CREATE:
                self.check_create(change.instance, change.values)
            elif change.kind == DELETE:
                self.check_delete(change.instance)
            else:
                self.check(change.instance, change.values, change.kind == REPLACE)
        return lambda: self._commit(changes)

    def _commit(self, changes):
        for change in changes:
            if change.kind == CREATE:
                self.create(change.instance, change.values)
            elif change.kind == DELETE:
                self.delete(change.instance)
            else:
                self.write(change.instance, change.values, change.kind == REPLACE)


class Simple(Node):
    """Single-instance object made of three tables keyed by the constants of `contract.objects.<module>`.

    reads: {resource: value or function() -> value}, writes: {resource: function(value)}, actions: {resource:
    function(arguments)}. checks: {resource: function(value)} raising BadRequest or ValueError(reason) before anything
    is written. A resource is present when it is in `reads`, `writes` or `actions`.

        class Location(Simple):
            OBJECT = location.OBJECT

            def __init__(self, lamp):
                super().__init__({location.LATITUDE: lambda: lamp.latitude_e6 / 1e6, location.TIMESTAMP: lamp.moved_s})

    Resources that belong together (a command and its end) need a subclass with its own `check` and `write`.
    """

    def __init__(self, reads, writes=None, actions=None, checks=None, owner=None):
        super().__init__(owner)
        self._reads = _by_id(reads)
        self._writes = _by_id(writes)
        self._actions = _by_id(actions)
        self._checks = _by_id(checks)
        self._present = tuple(sorted(set(self._reads) | set(self._writes) | set(self._actions)))

    def present(self, instance):
        return self._present

    def read(self, instance, resource):
        value = self._reads.get(resource)
        return value() if callable(value) else value

    def check(self, instance, values, replace):
        for resource in sorted(values):
            if resource not in self._writes:
                raise NotAllowed("resource %d of %s cannot be written on this lamp" % (resource, self.OBJECT.name))
            if resource in self._checks:
                try:
                    self._checks[resource](values[resource])
                except ValueError as error:
                    raise BadRequest("resource %d: %s" % (resource, error)) from None

    def write(self, instance, values, replace):
        for resource in sorted(values):
            self._writes[resource](values[resource])

    def execute(self, instance, resource, arguments):
        if resource not in self._actions:
            raise NotAllowed("resource %d of %s cannot be executed on this lamp" % (resource, self.OBJECT.name))
        self._actions[resource](arguments)


def _by_id(table):
    return {resource.id: table[resource] for resource in table} if table else {}
