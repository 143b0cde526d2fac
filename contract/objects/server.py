"""What one LwM2M server asks of the lamp: lifetime, periods, binding.

Source: urn:oma:lwm2m:oma:1:1.1 (LwM2M Server, OMA registry). LwM2M 1.1 implies object version 1.1.
"""

from contract.objects import Object, resource

ID = 1

SHORT_SERVER_ID = resource(ID, 0, "Short Server ID", "Integer", "R", mandatory=True, minimum=1, maximum=65534)
LIFETIME = resource(ID, 1, "Lifetime", "Integer", "RW", "s", mandatory=True)
DEFAULT_MINIMUM_PERIOD = resource(ID, 2, "Default Minimum Period", "Integer", "RW", "s")
DEFAULT_MAXIMUM_PERIOD = resource(ID, 3, "Default Maximum Period", "Integer", "RW", "s")
DISABLE = resource(ID, 4, "Disable", "", "E")
DISABLE_TIMEOUT = resource(ID, 5, "Disable Timeout", "Integer", "RW", "s")
NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE = resource(
    ID, 6, "Notification Storing When Disabled or Offline", "Boolean", "RW", mandatory=True
)
BINDING = resource(ID, 7, "Binding", "String", "RW", mandatory=True)
REGISTRATION_UPDATE_TRIGGER = resource(ID, 8, "Registration Update Trigger", "", "E", mandatory=True)
MUTE_SEND = resource(ID, 23, "Mute Send", "Boolean", "RW")

OBJECT = Object(
    ID,
    "LwM2M Server",
    "1.1",
    "urn:oma:lwm2m:oma:1:1.1",
    True,
    True,
    (
        SHORT_SERVER_ID,
        LIFETIME,
        DEFAULT_MINIMUM_PERIOD,
        DEFAULT_MAXIMUM_PERIOD,
        DISABLE,
        DISABLE_TIMEOUT,
        NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE,
        BINDING,
        REGISTRATION_UPDATE_TRIGGER,
        MUTE_SEND,
    ),
)
