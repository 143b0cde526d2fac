"""What one LwM2M server asks of the lamp: lifetime, periods, binding.

Source: urn:oma:lwm2m:oma:1:1.1 (LwM2M Server, OMA registry). LwM2M 1.1 implies object version 1.1.
"""

from contract.objects import define

ID = 1

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "LwM2M Server",
    "1.1",
    "urn:oma:lwm2m:oma:1:1.1",
    multiple=True,
    mandatory=True,
    table="""
Short Server ID|0|R|Integer||M|1..65534
Lifetime|1|RW|Integer|s|M
Default Minimum Period|2|RW|Integer|s
Default Maximum Period|3|RW|Integer|s
Disable|4|E
Disable Timeout|5|RW|Integer|s
Notification Storing When Disabled or Offline|6|RW|Boolean||M
Binding|7|RW|String||M
Registration Update Trigger|8|E|||M
Bootstrap-Request Trigger|9|E
Mute Send|23|RW|Boolean
""",
)
