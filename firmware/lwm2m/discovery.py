"""The answer to Discover: CoRE links with attributes. Rarely asked for, and loaded then (firmware.rarely).

Source: RFC 6690 section 2; OMA-TS-LightweightM2M_Core-V1_1 sections 6.3.4 (Discover), 5.1.2.
"""

from contract import paths
from contract.paths import Path
from firmware.lwm2m.attributes import NAMES
from firmware.lwm2m.errors import NotAllowed
from firmware.lwm2m.links import version


def discover(tree, attributes, path):
    """Payload of Discover (text) below an object, an instance or a resource. Raises NotFound, NotAllowed."""
    if path.object is None or path.resource_instance is not None:
        raise NotAllowed("discover an object, an instance or a resource", path)
    if path.resource is not None:
        return ",".join(_resource(tree, path, attributes.effective(path), True))
    if path.instance is not None:
        return ",".join(_instance(tree, attributes, path))
    links = ["</%d>%s%s" % (path.object, version(tree, path.object), _attributes(attributes.own(path)))]
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


def _attributes(values):
    return "".join([";%s=%s" % (name, values[name]) for name in NAMES if name in values])
