"""The lamp's objects as one tree of paths: what exists, what it reads, and changes that are made whole or not at all.

Source: OMA-TS-LightweightM2M_Core-V1_1 sections 6.3 (operations), 7.3 (identifiers) and 8.1 (access: /0 and /21 are for
bootstrap only, so the tree never holds them).
"""

from contract.objects import find_in
from contract.paths import Path
from contract.senml import Record
from firmware.errors import LampError, ProgramError, StorageError
from firmware.lwm2m import values
from firmware.lwm2m.errors import BadRequest, LwM2MError, NotAllowed, NotFound, Unavailable
from firmware.lwm2m.node import CREATE, DELETE, REPLACE, Change

HIDDEN = (0, 21)


class Tree:
    """`nodes` are lwm2m.node.Node. `revision` grows whenever an instance comes or goes: the server is told then."""

    def __init__(self, nodes):
        self._nodes = {node.OBJECT.id: node for node in nodes if node.OBJECT.id not in HIDDEN}
        self.revision = 0

    def objects(self):
        """Object ids, ascending."""
        return sorted(self._nodes)

    def node(self, object):
        """The node of an object; raises NotFound."""
        try:
            return self._nodes[object]
        except KeyError:
            raise NotFound("this lamp has no object %s" % object) from None

    def instances(self, object):
        """Instance ids of an object, ascending; raises NotFound."""
        return sorted(self.node(object).instances())

    def resource(self, path):
        """The contract Resource that `path` (resource or resource instance) names, present or not; raises NotFound."""
        resource = find_in(self.node(path.object).OBJECT, path.resource)
        if resource is None:
            raise NotFound("object %d has no resource %d" % (path.object, path.resource), path)
        return resource

    def present(self, object, instance):
        """The contract Resources that an instance has, ascending by id; raises NotFound."""
        node = self.instance(object, instance)
        return [self.resource(Path(object, instance, id, None)) for id in node.present(instance)]

    def instance(self, object, instance):
        """The node that has the instance; raises NotFound."""
        node = self.node(object)
        if instance not in node.instances():
            raise NotFound("there is no such instance", Path(object, instance, None, None))
        return node

    def existing(self, path):
        """The contract Resource of a resource that the instance has; raises NotFound."""
        resource = self.resource(path)
        if path.resource not in self.instance(path.object, path.instance).present(path.instance):
            raise NotFound("this lamp does not have the resource", path)
        return resource

    def value(self, path):
        """Value of one resource or resource instance, {resource instance: value} for a whole multiple resource.

        Raises NotFound, also when there is no value at present. Says nothing about permission.
        """
        resource = self.existing(path)
        value = self.node(path.object).read(path.instance, path.resource)
        if path.resource_instance is not None:
            value = (value or {}).get(path.resource_instance) if resource.multiple else None
        if value is None:
            raise NotFound("there is no value", path)
        return value

    def read(self, path):
        """Records (contract.senml.Record without time) below `path`, in order of path.

        Raises NotFound, and NotAllowed when `path` names a resource that is not readable; below an object or an
        instance such resources are left out.
        """
        if path.object is None:
            raise NotAllowed("the root cannot be read; name an object")
        if path.resource is not None:
            return self._read_resource(path)
        records = []
        instances = self.instances(path.object) if path.instance is None else (path.instance,)
        for instance in instances:
            for resource in self.present(path.object, instance):
                if "R" in resource.operations:
                    value = self.node(path.object).read(instance, resource.id)
                    _add(records, Path(path.object, instance, resource.id, None), resource, value)
        return records

    def _read_resource(self, path):
        resource = self.existing(path)
        if "R" not in resource.operations:
            raise NotAllowed("%s cannot be read" % resource.name, path)
        value = self.value(path)
        if path.resource_instance is not None:
            return [Record(path, None, value)]
        records = []
        _add(records, path, resource, value)
        return records

    def execute(self, path, arguments):
        """Run an executable resource. `arguments` is text, "" for none. Raises NotFound, NotAllowed, BadRequest."""
        resource = self.existing(path)
        if "E" not in resource.operations:
            raise NotAllowed("%s cannot be executed" % resource.name, path)
        try:
            self.node(path.object).execute(path.instance, path.resource, arguments)
        except (LwM2MError, LampError) as error:
            raise _located(error, path) from None

    def apply(self, changes):
        """Make all `changes` (node.Change, one an instance at most, with ids that `paths.parse` let through) or none.

        Every value is checked, then every owner prepares; only when nobody refuses is anything written. The list is
        used up: a checked change takes the place of its raw one, which a lamp cannot hold besides. Raises LwM2MError
        that names the path and the reason.
        """
        groups = []
        for position in range(len(changes)):
            change = changes[position] = self._checked(changes[position])
            owner = self.node(change.object).owner
            for known, group in groups:
                if known is owner:
                    group.append(change)
                    break
            else:
                groups.append((owner, [change]))
        commits = []
        for owner, group in groups:
            at = Path(group[0].object, group[0].instance, None, None)
            try:
                commits.append((owner.prepare(group), at))
            except (LwM2MError, LampError) as error:
                raise _located(error, at) from None
        for commit, at in commits:
            try:
                commit()
            except LampError as error:
                raise _located(error, at) from None
        for change in changes:
            if change.kind in (CREATE, DELETE):
                self.revision += 1

    def _checked(self, change):
        """The change with its values as the lamp keeps them."""
        at = Path(change.object, change.instance, None, None)
        node = self.node(change.object)
        if change.kind == CREATE:
            if change.instance in node.instances():
                raise BadRequest("the instance exists already; write to it", at)
        else:
            self.instance(change.object, change.instance)
        checked = {}
        for id in sorted(change.values):
            checked[id] = self._checked_value(Path(change.object, change.instance, id, None), change.values[id])
        if change.kind in (CREATE, REPLACE):
            for resource in node.OBJECT.resources:
                if resource.mandatory and "W" in resource.operations and resource.id not in checked:
                    raise BadRequest("the mandatory resource %d, %s, is missing" % (resource.id, resource.name), at)
        return Change(change.object, change.instance, checked, change.kind)

    def _checked_value(self, path, value):
        resource = self.resource(path)
        if not self.node(path.object).supports(path.instance, path.resource):
            raise NotFound("this lamp does not have the resource", path)
        if "W" not in resource.operations:
            raise NotAllowed("%s cannot be written" % resource.name, path)
        if not resource.multiple:
            return _check(resource, path, value)
        if not isinstance(value, dict):
            raise BadRequest("has resource instances; write to one of them", path)
        checked = {}
        for id in sorted(value):
            at = Path(path.object, path.instance, path.resource, id)
            checked[id] = _check(resource, at, value[id])
        return checked


def _check(resource, path, value):
    try:
        return values.check(resource, value)
    except BadRequest as error:
        raise _located(error, path) from None


def _add(records, path, resource, value):
    """Append the records of a resource; one without a value has none."""
    if value is None:
        return
    if not resource.multiple:
        records.append(Record(path, None, value))
        return
    for id in sorted(value):
        records.append(Record(Path(path.object, path.instance, path.resource, id), None, value[id]))


def _located(error, path):
    """`error` as the server shall see it: an LwM2MError with the path it is about."""
    if isinstance(error, StorageError):
        return Unavailable(str(error), path)
    if isinstance(error, ProgramError):
        return BadRequest(str(error))  # it starts with its own path, which is more exact
    if isinstance(error, LampError):
        return BadRequest(str(error), path)
    if error.path is None:
        error.path = path
    return error
