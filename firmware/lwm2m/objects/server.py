"""The server account: lifetime, periods, binding, and what the server may make the client do.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.2 (urn:oma:lwm2m:oma:1:1.1).
"""

from contract.objects import server
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.objects.desk import Kept

SHORT_SERVER_ID = 1
BINDING = "U"


class Server(Kept):
    """`parts.client` has `disable()` and `trigger_update()`; it may come after this node."""

    OBJECT = server.OBJECT
    SETTINGS = {
        server.LIFETIME.id: "lifetime_s",
        server.DEFAULT_MINIMUM_PERIOD.id: "default_pmin_s",
        server.DEFAULT_MAXIMUM_PERIOD.id: "default_pmax_s",
        server.DISABLE_TIMEOUT.id: "disable_timeout_s",
        server.NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE.id: "store_notifications",
        server.MUTE_SEND.id: "mute_send",
    }
    OTHERS = (
        server.SHORT_SERVER_ID.id,
        server.DISABLE.id,
        server.BINDING.id,
        server.REGISTRATION_UPDATE_TRIGGER.id,
    )

    def value(self, resource):
        return SHORT_SERVER_ID if resource == server.SHORT_SERVER_ID.id else BINDING

    def effect(self, values):
        if values.get(server.BINDING.id, BINDING) != BINDING:
            raise BadRequest("the lamp speaks CoAP over UDP only; write %s" % BINDING)
        get = self.parts.settings.get
        pmin_s = values.get(server.DEFAULT_MINIMUM_PERIOD.id, get("default_pmin_s"))
        pmax_s = values.get(server.DEFAULT_MAXIMUM_PERIOD.id, get("default_pmax_s"))
        if 0 < pmax_s < pmin_s:
            raise BadRequest("the maximum period (%d) is below the minimum period (%d)" % (pmax_s, pmin_s))

    def execute(self, instance, resource, arguments):
        if resource == server.DISABLE.id:
            self.parts.client.disable()
        elif resource == server.REGISTRATION_UPDATE_TRIGGER.id:
            self.parts.client.trigger_update()
        else:
            self.refuse_execution(resource)
