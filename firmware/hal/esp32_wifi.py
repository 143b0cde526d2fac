"""Wi-Fi station. It believes `isconnected()` only when the access point is heard as well.

Read in the source of MicroPython's ESP32 port: the port reassociates by itself for ever after a drop, but its flag
stays true through some losses; `status("rssi")` asks the driver and raises OSError without an association. Modem
sleep delays datagrams to the lamp by up to seconds, so it is off.
"""

import network

ATTEMPTS = 3
ATTEMPT_MS = 15000  # association and DHCP on a weak link; longer ones do not come
POLL_MS = 100
REST_MS = (500, 2000, 4000)


class Station:
    """`sleep_ms` is the board's; `country` may be empty."""

    def __init__(self, ssid, password, hostname, country, sleep_ms):
        self._ssid = ssid
        self._password = password
        self._sleep_ms = sleep_ms
        if country:
            network.country(country)
        network.hostname(hostname)
        self._wlan = network.WLAN(network.STA_IF)

    async def connect(self):
        """Take the radio down, and up again; True when there is an address within three attempts (under a minute)."""
        for attempt in range(ATTEMPTS):
            try:
                if await self._attempt():
                    return True
            except OSError:
                pass  # the driver's state is what the next attempt resets
            await self._sleep_ms(REST_MS[attempt])
        return False

    def is_connected(self):
        return self._has_address() and self.rssi_dbm() is not None

    def address(self):
        return self._wlan.ifconfig()[0] if self._has_address() else None

    def rssi_dbm(self):
        try:
            return self._wlan.status("rssi")
        except OSError:
            return None

    async def _attempt(self):
        wlan = self._wlan
        wlan.active(False)
        await self._sleep_ms(POLL_MS)
        wlan.active(True)
        wlan.config(pm=wlan.PM_NONE)
        wlan.connect(self._ssid, self._password)
        for _ in range(ATTEMPT_MS // POLL_MS):
            if self.is_connected():
                return True
            await self._sleep_ms(POLL_MS)
        return False

    def _has_address(self):
        try:
            return self._wlan.isconnected() and self._wlan.ifconfig()[0] != "0.0.0.0"
        except OSError:
            return False
