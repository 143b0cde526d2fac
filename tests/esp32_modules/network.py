"""The ESP32's `network` with one access point in the air. `air` is the outside world that a test turns."""

STA_IF = 0
ESP_ERR_WIFI_NOT_STARTED = 0x3002
ESP_ERR_WIFI_NOT_CONNECT = 0x300F

# present: the access point sends; polls: how often `isconnected` is asked before DHCP is done;
# lying: the flag stays true after the access point went; grant: whether DHCP answers; starts: the radio comes up;
# rssi: how it is heard; others: what a scan finds besides it, as (ssid, rssi).
air = {
    "ssid": "street",
    "password": "of lamps and lanes",
    "present": True,
    "polls": 2,
    "lying": False,
    "grant": True,
    "starts": True,
    "rssi": -67,
    "others": (("next door", -84),),
}
names = {}


def country(code):
    names["country"] = code


def hostname(name):
    names["hostname"] = name


class WLAN:
    PM_NONE = 0
    IF_STA = STA_IF

    only = None

    def __init__(self, interface):
        assert interface == STA_IF
        WLAN.only = self
        self.is_active = False
        self.pm = 1
        self.credentials = None
        self.polls = 0
        self.was_up = False
        self.associations = 0

    def active(self, on=None):
        if on is None:
            return self.is_active
        if on and not air["starts"]:
            raise OSError(-1)
        self.is_active = on
        self.credentials = None
        self.was_up = False
        return None

    def scan(self):
        """(ssid, bssid, channel, rssi, security, hidden) of each network, the strongest first."""
        self._require()
        heard = [(air["ssid"], air["rssi"])] if air["present"] else []
        heard = sorted(heard + [tuple(other) for other in air["others"]], key=lambda one: -one[1])
        return [
            (name.encode(), bytes([2, 0, 0, 0, 0, n]), 1 + n, rssi, 3, False) for n, (name, rssi) in enumerate(heard)
        ]

    def disconnect(self):
        self.credentials = None
        self.was_up = False

    def config(self, *, pm):
        self._require()
        self.pm = pm

    def connect(self, ssid, password):
        self._require()
        self.credentials = (ssid, password)
        self.polls = 0
        self.associations += 1

    def isconnected(self):
        if self._heard():
            self.polls += 1
            self.was_up = self.polls > air["polls"]
        elif not air["lying"]:
            self.was_up = False
        return self.was_up

    def ifconfig(self):
        address = "192.168.4.23" if self.was_up and air["grant"] else "0.0.0.0"
        return (address, "255.255.255.0", "192.168.4.1", "192.168.4.1")

    def status(self, what):
        assert what == "rssi"
        if not self._heard():
            raise OSError(ESP_ERR_WIFI_NOT_CONNECT)
        return air["rssi"]

    def _heard(self):
        return self.is_active and air["present"] and self.credentials == (air["ssid"], air["password"])

    def _require(self):
        if not self.is_active:
            raise OSError(ESP_ERR_WIFI_NOT_STARTED)
