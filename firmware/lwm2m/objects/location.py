"""Where the lamp stands, as it was told: the settings that the sun is computed from.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.7 (urn:oma:lwm2m:oma:6). Floats on the ESP32 have seven digits;
42769/9 and /10 hold the place exactly.
"""

from contract.objects import location
from firmware.lwm2m.node import Simple


class Location(Simple):
    """Its timestamp is the installation date: the lamp does not measure where it is."""

    OBJECT = location.OBJECT

    def __init__(self, parts):
        get = parts.settings.get
        super().__init__(
            {
                location.LATITUDE: lambda: get("latitude_e6") / 1000000,
                location.LONGITUDE: lambda: get("longitude_e6") / 1000000,
                location.TIMESTAMP: lambda: get("installation_s"),
            }
        )
