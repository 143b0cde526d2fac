"""What a write request means: from SenML records to the changes that `Tree.apply` makes.

Source: OMA-TS-LightweightM2M_Core-V1_1 sections 6.3.3 (Write), 6.3.6 (Create), 6.3.7 (Delete) and 6.3.10
(Write-Composite); RFC 8790 section 3.2 (a record with a null value removes what it names).

Three things that the specification leaves open, decided here and told in docs/architecture.md:
- Write-Composite on an instance that does not exist creates it, so that one request can carry a whole schedule.
- In a Write-Composite a record without a value removes: `/o` all instances, `/o/i` an instance, `/o/i/r` all instances
  of a multiple resource, `/o/i/r/ri` one of them. Removals come first wherever they stand, so "remove, then give" in
  one request is "hold exactly this". Removing what is not there is no error.
- A Create without an instance id names its records `/o/r` or `/o/r/ri`; the lamp takes the lowest free id.
"""

from contract.paths import Path, covers
from contract.senml import Record
from firmware.lwm2m.errors import BadRequest, NotAllowed, NotFound
from firmware.lwm2m.node import CREATE, DELETE, REPLACE, WRITE, Change


def write(tree, path, records, replace):
    """Changes of a Write to an instance, a resource or a resource instance. Raises LwM2MError."""
    if path.instance is None:
        raise NotAllowed("an object cannot be written; name an instance", path)
    tree.instance(path.object, path.instance)
    for record in records:
        if not covers(path, record.path):
            raise BadRequest("lies outside of what the request names", record.path)
    values = _values(tree, records).get((path.object, path.instance), {})
    if path.resource is None:
        if not replace:
            _merge(tree, path.object, path.instance, values, ())
        return [Change(path.object, path.instance, values, REPLACE if replace else WRITE)]
    resource = tree.existing(path)
    if path.resource not in values:
        if not resource.multiple or path.resource_instance is not None:
            raise BadRequest("the payload holds no value for it", path)
        values = {path.resource: {}}
    if path.resource_instance is not None:
        tree.value(path)  # the resource instance must exist
    if path.resource_instance is not None or not replace:
        _merge(tree, path.object, path.instance, values, ())
    return [Change(path.object, path.instance, values, WRITE)]


def compose(tree, records):
    """Changes of a Write-Composite, `records` being any iterable. Raises LwM2MError."""
    removed, cleared, given = set(), {}, {}
    record = None
    for record in records:
        if record.value is None:
            _remove(tree, record.path, removed, cleared)
        else:
            _give(tree, record, given)
    if record is None:
        raise BadRequest("the payload holds nothing to write")
    changes = []
    for key in sorted(set(given) | removed | set(cleared)):
        object, instance = key
        values = given.get(key, {})
        exists = instance in tree.instances(object)
        if not exists:
            if values:
                changes.append(Change(object, instance, values, CREATE))
        elif key in removed:
            changes.append(Change(object, instance, values, REPLACE if values else DELETE))
        else:
            _merge(tree, object, instance, values, cleared.get(key, ()))
            changes.append(Change(object, instance, values, WRITE))
    return changes


def create(tree, object, records):
    """The one change of a Create. Raises LwM2MError."""
    tree.node(object)
    for record in records:
        if record.path.object != object:
            raise BadRequest("lies outside of /%d" % object, record.path)
    if not records or any(record.path.resource is None for record in records):
        instance = _free(tree, object)
        records = [_inside(record, instance) for record in records]
    instances = {record.path.instance for record in records} or {instance}
    if len(instances) > 1:
        raise BadRequest("creates %d instances at once; send one" % len(instances), Path(object, None, None, None))
    instance = instances.pop()
    return Change(object, instance, _values(tree, records).get((object, instance), {}), CREATE)


def delete(tree, path):
    """The change of a Delete. Raises LwM2MError."""
    if path.instance is None or path.resource is not None:
        raise NotAllowed("only instances can be deleted", path)
    tree.instance(path.object, path.instance)
    return Change(path.object, path.instance, {}, DELETE)


def _values(tree, records):
    """{(object, instance): {resource: value | {resource instance: value}}} of records with values."""
    found = {}
    for record in records:
        if record.value is None:
            raise BadRequest("gives no value", record.path)
        _give(tree, record, found)
    return found


def _give(tree, record, found):
    """Put the value of a record into `found`, as `_values` returns it."""
    path = record.path
    if path.resource is None:
        raise BadRequest("holds a value, but names no resource", path)
    resource = tree.resource(path)
    values = found.setdefault((path.object, path.instance), {})
    if resource.multiple:
        if path.resource_instance is None:
            raise BadRequest("has resource instances; write to one of them", path)
        values = values.setdefault(path.resource, {})
        key = path.resource_instance
    else:
        if path.resource_instance is not None:
            raise NotFound("%s has no resource instances" % resource.name, path)
        key = path.resource
    if key in values:
        raise BadRequest("is given twice", path)
    values[key] = record.value


def _remove(tree, path, removed, cleared):
    """Note what a record without a value removes: in the set `removed` of (object, instance), or in the dict `cleared`
    by (object, instance) of lists of paths (of multiple resources and of their instances)."""
    if path.object is None:
        raise BadRequest("a record names no path")
    if path.instance is None:
        removed.update((path.object, instance) for instance in tree.instances(path.object))
    elif path.resource is None:
        tree.node(path.object)
        removed.add((path.object, path.instance))
    else:
        resource = tree.resource(path)
        if not resource.multiple:
            raise BadRequest("gives no value", path)
        cleared.setdefault((path.object, path.instance), []).append(path)


def _merge(tree, object, instance, values, cleared):
    """Complete the multiple resources in `values` with the instances that they have now, without the `cleared` ones."""
    for resource in {path.resource for path in cleared}:
        values.setdefault(resource, {})
    node = tree.node(object)
    for resource in values:
        given = values[resource]
        if isinstance(given, dict):
            whole = {}
            if resource in node.present(instance):
                whole.update(node.read(instance, resource) or {})
            whole = {id: whole[id] for id in whole if not _is_cleared(cleared, resource, id)}
            whole.update(given)
            values[resource] = whole


def _is_cleared(cleared, resource, id):
    """Whether one of the paths in `cleared` is the resource, or its instance `id`."""
    return any(path.resource == resource and path.resource_instance in (None, id) for path in cleared)


def _free(tree, object):
    """The lowest instance id that is not in use."""
    used = tree.instances(object)
    instance = 0
    while instance in used:
        instance += 1
    return instance


def _inside(record, instance):
    """The record of a Create without an instance id, moved into `instance`."""
    object, resource, resource_instance, more = record.path
    if resource is None or more is not None:
        raise BadRequest("give every record an instance id, or none of them", record.path)
    return Record(Path(object, instance, resource, resource_instance), record.time_s, record.value)
