"""The network as the lamp sees it.

Source: urn:oma:lwm2m:oma:4:1.2 (Connectivity Monitoring, OMA registry). LwM2M 1.1 implies object version 1.2.
"""

from contract.objects import Object, resource

ID = 4

NETWORK_BEARER = resource(ID, 0, "Network Bearer", "Integer", "R", mandatory=True, minimum=0, maximum=50)
AVAILABLE_NETWORK_BEARER = resource(
    ID, 1, "Available Network Bearer", "Integer", "R", multiple=True, mandatory=True, minimum=0, maximum=50
)
RADIO_SIGNAL_STRENGTH = resource(ID, 2, "Radio Signal Strength", "Integer", "R", "dBm", mandatory=True)
LINK_QUALITY = resource(ID, 3, "Link Quality", "Integer", "R")
IP_ADDRESSES = resource(ID, 4, "IP Addresses", "String", "R", multiple=True, mandatory=True)
ROUTER_IP_ADDRESSES = resource(ID, 5, "Router IP Addresses", "String", "R", multiple=True)

OBJECT = Object(
    ID,
    "Connectivity Monitoring",
    "1.2",
    "urn:oma:lwm2m:oma:4:1.2",
    False,
    False,
    (
        NETWORK_BEARER,
        AVAILABLE_NETWORK_BEARER,
        RADIO_SIGNAL_STRENGTH,
        LINK_QUALITY,
        IP_ADDRESSES,
        ROUTER_IP_ADDRESSES,
    ),
)
