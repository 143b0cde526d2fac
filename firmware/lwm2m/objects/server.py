"""The server account: lifetime, periods, binding, and what the server may make the client do.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.2 (urn:oma:lwm2m:oma:1:1.1).
"""

from contract.objects import server
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.objects.desk import Kept

ACCOUNT = 1  # where no bootstrap server gave another
UDP = "U"

SHORT_SERVER_ID = server.SHORT_SERVER_ID.id
BINDING = server.BINDING.id
DEFAULT_MINIMUM_PERIOD = server.DEFAULT_MINIMUM_PERIOD.id
DEFAULT_MAXIMUM_PERIOD = server.DEFAULT_MAXIMUM_PERIOD.id
DISABLE = server.DISABLE.id
REGISTRATION_UPDATE_TRIGGER = server.REGISTRATION_UPDATE_TRIGGER.id
BOOTSTRAP_REQUEST_TRIGGER = server.BOOTSTRAP_REQUEST_TRIGGER.id


class Server(Kept):
    """`parts.client` has `disable()` and `trigger_update()`; it may come after this node. Where there is a bootstrap
    server, firmware.bootstrapping adds the trigger for it, and `parts.bootstrap()`."""

    OBJECT = server.OBJECT
    SETTINGS = {
        server.LIFETIME.id: "lifetime_s",
        server.DEFAULT_MINIMUM_PERIOD.id: "default_pmin_s",
        server.DEFAULT_MAXIMUM_PERIOD.id: "default_pmax_s",
        server.DISABLE_TIMEOUT.id: "disable_timeout_s",
        server.NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE.id: "store_notifications",
        server.MUTE_SEND.id: "mute_send",
    }

    LACKS = (BOOTSTRAP_REQUEST_TRIGGER,)

    def value(self, resource):
        if resource == SHORT_SERVER_ID:
            return self.parts.identity.account or ACCOUNT
        return UDP if resource == BINDING else None

    def effect(self, values):
        if values.get(BINDING, UDP) != UDP:
            raise BadRequest("the lamp speaks CoAP over UDP only; write %s" % UDP)
        get = self.parts.settings.get
        pmin_s = values.get(DEFAULT_MINIMUM_PERIOD, get("default_pmin_s"))
        pmax_s = values.get(DEFAULT_MAXIMUM_PERIOD, get("default_pmax_s"))
        if 0 < pmax_s < pmin_s:
            raise BadRequest("the maximum period (%d) is below the minimum period (%d)" % (pmax_s, pmin_s))

    def execute(self, instance, resource, arguments):
        if resource == DISABLE:
            self.parts.client.disable()
        elif resource == REGISTRATION_UPDATE_TRIGGER:
            self.parts.client.trigger_update()
        elif resource == BOOTSTRAP_REQUEST_TRIGGER:
            self.parts.bootstrap()
        else:
            self.refuse_execution(resource)
