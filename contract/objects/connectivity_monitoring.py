"""The network as the lamp sees it.

Source: urn:oma:lwm2m:oma:4:1.2 (Connectivity Monitoring, OMA registry). LwM2M 1.1 implies object version 1.2.
"""

from contract.objects import define

ID = 4

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Connectivity Monitoring",
    "1.2",
    "urn:oma:lwm2m:oma:4:1.2",
    multiple=False,
    mandatory=False,
    table="""
Network Bearer|0|R|Integer||M|0..50
Available Network Bearer|1|R|Integer||MN|0..50
Radio Signal Strength|2|R|Integer|dBm|M
Link Quality|3|R|Integer
IP Addresses|4|R|String||MN
Router IP Addresses|5|R|String||N
""",
)
