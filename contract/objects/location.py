"""Where the lamp stands, as far as it knows.

Source: urn:oma:lwm2m:oma:6 (Location, OMA registry).
"""

from contract.objects import define

ID = 6

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Location",
    "1.0",
    "urn:oma:lwm2m:oma:6",
    multiple=False,
    mandatory=False,
    table="""
Latitude|0|R|Float|lat|M
Longitude|1|R|Float|lon|M
Altitude|2|R|Float|m
Radius|3|R|Float|m
Timestamp|5|R|Time||M
""",
)
