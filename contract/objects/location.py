"""Where the lamp stands, as far as it knows.

Source: urn:oma:lwm2m:oma:6 (Location, OMA registry).
"""

from contract.objects import Object, resource

ID = 6

LATITUDE = resource(ID, 0, "Latitude", "Float", "R", "lat", mandatory=True)
LONGITUDE = resource(ID, 1, "Longitude", "Float", "R", "lon", mandatory=True)
ALTITUDE = resource(ID, 2, "Altitude", "Float", "R", "m")
RADIUS = resource(ID, 3, "Radius", "Float", "R", "m")
TIMESTAMP = resource(ID, 5, "Timestamp", "Time", "R", mandatory=True)

OBJECT = Object(
    ID,
    "Location",
    "1.0",
    "urn:oma:lwm2m:oma:6",
    False,
    False,
    (
        LATITUDE,
        LONGITUDE,
        ALTITUDE,
        RADIUS,
        TIMESTAMP,
    ),
)
