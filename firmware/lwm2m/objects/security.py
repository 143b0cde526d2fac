"""The server account's security: no resource is reachable from the server.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.1. The tree never holds this object; it exists for bootstrap.
"""

from contract.objects import security
from firmware.lwm2m.errors import NotAllowed
from firmware.lwm2m.node import Node


class Security(Node):
    """Presents its resources and reads none."""

    OBJECT = security.OBJECT

    def present(self, instance):
        return tuple(resource.id for resource in self.OBJECT.resources)

    def read(self, instance, resource):
        raise NotAllowed("security settings cannot be read")
