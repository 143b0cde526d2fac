"""Firmware update: the lamp says honestly that it cannot fetch an image by any protocol yet.

A package or its URI is taken and answered in the registry's way: state idle, result 9 (unsupported protocol). An empty
one resets the result. Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.6 (urn:oma:lwm2m:oma:5).
"""

from contract.objects import firmware_update
from firmware.lwm2m.errors import NotAllowed
from firmware.lwm2m.node import Simple

IDLE = 0
INITIAL = 0
UNSUPPORTED_PROTOCOL = 9
PULL = 0


class FirmwareUpdate(Simple):
    """Nothing is kept of what is written."""

    OBJECT = firmware_update.OBJECT

    def __init__(self):
        self._result = INITIAL
        super().__init__(
            {
                firmware_update.PACKAGE_URI: "",
                firmware_update.STATE: IDLE,
                firmware_update.UPDATE_RESULT: lambda: self._result,
                # No instance: no protocol. Left out, it would mean CoAP.
                firmware_update.FIRMWARE_UPDATE_PROTOCOL_SUPPORT: {},
                firmware_update.FIRMWARE_UPDATE_DELIVERY_METHOD: PULL,
            },
            {firmware_update.PACKAGE: self._refuse, firmware_update.PACKAGE_URI: self._refuse},
            {firmware_update.UPDATE: self._update},
        )

    def _refuse(self, value):
        self._result = UNSUPPORTED_PROTOCOL if len(value) > 0 else INITIAL

    def _update(self, arguments):
        raise NotAllowed("no package is downloaded; this lamp cannot update its firmware yet")
