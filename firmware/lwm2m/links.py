"""CoRE links: what the lamp says it has, at registration and to Discover.

Source: RFC 6690 section 2; OMA-TS-LightweightM2M_Core-V1_1 sections 6.2.1 (Register), 6.3.4 (Discover), 5.1.2.
"""

from contract import paths
from contract.paths import Path
from firmware.lwm2m.attributes import NAMES
from firmware.lwm2m.errors import NotAllowed

# Every object has a version; the server knows that of a core object from the version of LwM2M itself.
CORE_OBJECTS = (0, 1, 2, 3, 4, 5, 6, 7, 21)
ROOT = '</>;ct="110 112";rt="oma.lwm2m"'


def registration(tree):
    """Payload of Register (text): formats, objects with their versions, instances."""
    links = [ROOT]
    for object in tree.objects():
        instances = tree.instances(object)
        version = _version(tree, object)
        if version or not instances:
            links.append("</%d>%s" % (object, version))
        links += ["</%d/%d>" % (object, instance) for instance in instances]
    return ",".join(links)


def discover(tree, attributes, path):
    """Payload of Discover (text) below an object, an instance or a resource. Raises NotFound, NotAllowed."""
    if path.object is None or path.resource_instance is not None:
        raise NotAllowed("discover an object, an instance or a resource", path)
    if path.resource is not None:
        return ",".join(_resource(tree, path, attributes.effective(path), True))
    if path.instance is not None:
        return ",".join(_instance(tree, attributes, path))
    links = ["</%d>%s%s" % (path.object, _version(tree, path.object), _attributes(attributes.own(path)))]
    for instance in tree.instances(path.object):
        links += _instance(tree, attributes, Path(path.object, instance, None, None))
    return ",".join(links)


def _instance(tree, attributes, path):
    links = ["<%s>%s" % (paths.format(path), _attributes(attributes.own(path)))]
    for resource in tree.present(path.object, path.instance):
        at = Path(path.object, path.instance, resource.id, None)
        links += _resource(tree, at, attributes.own(at), False)
    return links


def _resource(tree, path, attributes, with_instances):
    """The link of a resource and, when asked for, those of its resource instances."""
    if not tree.existing(path).multiple:
        return ["<%s>%s" % (paths.format(path), _attributes(attributes))]
    held = sorted(tree.node(path.object).read(path.instance, path.resource) or ())
    links = ["<%s>;dim=%d%s" % (paths.format(path), len(held), _attributes(attributes))]
    if with_instances:
        links += ["<%s/%d>" % (paths.format(path), id) for id in held]
    return links


def _version(tree, object):
    version = tree.node(object).OBJECT.version
    return "" if object in CORE_OBJECTS or version == "1.0" else ";ver=" + version


def _attributes(values):
    return "".join([";%s=%s" % (name, values[name]) for name in NAMES if name in values])
