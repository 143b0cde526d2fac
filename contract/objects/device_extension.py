"""Device details that the core object lacks, and the table of daylight saving.

Source: urn:oma:lwm2m:ext:3410:2.0 (Device Extension, OMA registry).
"""

from contract.objects import Object, resource

ID = 3410

GTIN_MODEL_NUMBER = resource(ID, 1, "GTIN model number", "String", "R")
MANUFACTURER_IDENTIFIER = resource(ID, 2, "Manufacturer identifier", "String", "R", mandatory=True)
USER_GIVEN_NAME = resource(ID, 3, "User-given name", "String", "RW")
ASSET_IDENTIFIER = resource(ID, 4, "Asset identifier", "String", "RW")
INSTALLATION_DATE = resource(ID, 5, "Installation date", "Time", "RW")
SOFTWARE_UPDATE = resource(ID, 6, "Software update", "Boolean", "RW")
MAINTENANCE = resource(ID, 7, "Maintenance", "Boolean", "RW")
CONFIGURATION_RESET = resource(ID, 8, "Configuration reset", "", "E")
DEVICE_OPERATING_HOURS = resource(ID, 9, "Device operating hours", "Integer", "R", "h")
ADDITIONAL_FIRMWARE_INFORMATION = resource(ID, 10, "Additional firmware information", "String", "R")
DST_START = resource(ID, 11, "DST Start", "Time", "RW", "s", multiple=True)
DST_END = resource(ID, 12, "DST End", "Time", "RW", multiple=True)
DST_OFFSET = resource(ID, 13, "DST Offset", "String", "RW", multiple=True)
UPTIME = resource(ID, 14, "Uptime", "Integer", "R", "s")

OBJECT = Object(
    ID,
    "Device Extension",
    "2.0",
    "urn:oma:lwm2m:ext:3410:2.0",
    False,
    False,
    (
        GTIN_MODEL_NUMBER,
        MANUFACTURER_IDENTIFIER,
        USER_GIVEN_NAME,
        ASSET_IDENTIFIER,
        INSTALLATION_DATE,
        SOFTWARE_UPDATE,
        MAINTENANCE,
        CONFIGURATION_RESET,
        DEVICE_OPERATING_HOURS,
        ADDITIONAL_FIRMWARE_INFORMATION,
        DST_START,
        DST_END,
        DST_OFFSET,
        UPTIME,
    ),
)
