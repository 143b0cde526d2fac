"""The keys of OSCORE: no resource is reachable from the server.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.9. The tree never holds this object; it exists for bootstrap.
"""

from contract.objects import oscore
from firmware.lwm2m.errors import NotAllowed
from firmware.lwm2m.node import Node


class Oscore(Node):
    """Presents its resources and reads none."""

    OBJECT = oscore.OBJECT

    def present(self, instance):
        return tuple(resource.id for resource in self.OBJECT.resources)

    def read(self, instance, resource):
        raise NotAllowed("keys cannot be read")
