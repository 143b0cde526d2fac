"""The network as the lamp sees it.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.5 (urn:oma:lwm2m:oma:4:1.2).
"""

from contract.objects import connectivity_monitoring
from firmware.lwm2m.node import Simple

WLAN = 21
ETHERNET = 41


class ConnectivityMonitoring(Simple):
    """A board without a radio level is on a cable, or simulated."""

    OBJECT = connectivity_monitoring.OBJECT

    def __init__(self, parts):
        board = parts.board

        def bearer():
            return ETHERNET if board.rssi_dbm() is None else WLAN

        def addresses():
            address = board.address()
            return {0: address} if address else {}

        super().__init__(
            {
                connectivity_monitoring.NETWORK_BEARER: bearer,
                connectivity_monitoring.AVAILABLE_NETWORK_BEARER: lambda: {0: bearer()},
                connectivity_monitoring.RADIO_SIGNAL_STRENGTH: lambda: board.rssi_dbm() or 0,
                connectivity_monitoring.IP_ADDRESSES: addresses,
            }
        )
