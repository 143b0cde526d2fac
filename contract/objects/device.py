"""The controller as a device: names, versions, time zone, restart.

Source: urn:oma:lwm2m:oma:3:1.1 (Device, OMA registry). LwM2M 1.1 implies object version 1.1.
"""

from contract.objects import Object, resource

ID = 3

MANUFACTURER = resource(ID, 0, "Manufacturer", "String", "R")
MODEL_NUMBER = resource(ID, 1, "Model Number", "String", "R")
SERIAL_NUMBER = resource(ID, 2, "Serial Number", "String", "R")
FIRMWARE_VERSION = resource(ID, 3, "Firmware Version", "String", "R")
REBOOT = resource(ID, 4, "Reboot", "", "E", mandatory=True)
FACTORY_RESET = resource(ID, 5, "Factory Reset", "", "E")
AVAILABLE_POWER_SOURCES = resource(
    ID, 6, "Available Power Sources", "Integer", "R", multiple=True, minimum=0, maximum=7
)
MEMORY_FREE = resource(ID, 10, "Memory Free", "Integer", "R")
ERROR_CODE = resource(ID, 11, "Error Code", "Integer", "R", multiple=True, mandatory=True, minimum=0, maximum=32)
RESET_ERROR_CODE = resource(ID, 12, "Reset Error Code", "", "E")
CURRENT_TIME = resource(ID, 13, "Current Time", "Time", "RW")
UTC_OFFSET = resource(ID, 14, "UTC Offset", "String", "RW")
TIMEZONE = resource(ID, 15, "Timezone", "String", "RW")
SUPPORTED_BINDING_AND_MODES = resource(ID, 16, "Supported Binding and Modes", "String", "R", mandatory=True)
DEVICE_TYPE = resource(ID, 17, "Device Type", "String", "R")
HARDWARE_VERSION = resource(ID, 18, "Hardware Version", "String", "R")
SOFTWARE_VERSION = resource(ID, 19, "Software Version", "String", "R")
MEMORY_TOTAL = resource(ID, 21, "Memory Total", "Integer", "R")
EXTDEVINFO = resource(ID, 22, "ExtDevInfo", "Objlnk", "R", multiple=True)

OBJECT = Object(
    ID,
    "Device",
    "1.1",
    "urn:oma:lwm2m:oma:3:1.1",
    False,
    True,
    (
        MANUFACTURER,
        MODEL_NUMBER,
        SERIAL_NUMBER,
        FIRMWARE_VERSION,
        REBOOT,
        FACTORY_RESET,
        AVAILABLE_POWER_SOURCES,
        MEMORY_FREE,
        ERROR_CODE,
        RESET_ERROR_CODE,
        CURRENT_TIME,
        UTC_OFFSET,
        TIMEZONE,
        SUPPORTED_BINDING_AND_MODES,
        DEVICE_TYPE,
        HARDWARE_VERSION,
        SOFTWARE_VERSION,
        MEMORY_TOTAL,
        EXTDEVINFO,
    ),
)
