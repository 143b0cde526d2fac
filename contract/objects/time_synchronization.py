"""SNTP, the fallback when the server gives no time, and the clock error.

Source: urn:oma:lwm2m:ext:3415:2.0 (Time synchronization, OMA registry).
"""

from contract.objects import define

ID = 3415

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Time synchronization",
    "2.0",
    "urn:oma:lwm2m:ext:3415:2.0",
    multiple=False,
    mandatory=False,
    table="""
NTP server address|1|RW|String||M
Backup NTP server address|2|RW|String
NTP period|3|RW|Integer|h
Last time sync|4|R|Integer|h
Time sync error|5|R|Boolean
""",
)
