"""CoRE links: what the lamp says it has, at registration; to Discover: firmware.lwm2m.discovery.

Source: RFC 6690 section 2; OMA-TS-LightweightM2M_Core-V1_1 section 6.2.1 (Register).
"""

# Every object has a version; the server knows that of a core object from the version of LwM2M itself.
CORE_OBJECTS = (0, 1, 2, 3, 4, 5, 6, 7, 21)
ROOT = '</>;ct="110 112";rt="oma.lwm2m"'


def registration(tree):
    """Payload of Register (text): formats, objects with their versions, instances."""
    links = [ROOT]
    for object in tree.objects():
        instances = tree.instances(object)
        suffix = version(tree, object)
        if suffix or not instances:
            links.append("</%d>%s" % (object, suffix))
        links += ["</%d/%d>" % (object, instance) for instance in instances]
    return ",".join(links)


def version(tree, object):
    """The attribute of an object's version, "" where the server knows it anyway."""
    number = tree.node(object).OBJECT.version
    return "" if object in CORE_OBJECTS or number == "1.0" else ";ver=" + number
