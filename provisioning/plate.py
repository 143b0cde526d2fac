"""What a person knows of a lamp before its board is touched: plate data and place, one row of a manifest.

Every field comes as text and is checked here, for a manifest's rows, a batch's child and the options of a single run
alike. Names and limits are those of the backend's enrolment, so that it refuses nothing that was accepted here.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from provisioning.errors import Failure

LONGEST = 120
LONGEST_NOTES = 1000
REQUIRED = ("asset_id", "latitude", "longitude", "time_zone")


@dataclass(frozen=True)
class Plate:
    """One lamp as planned. `mac` ("" or six bytes like `24:6f:28:00:00:01`) binds it to one board; `facts` is the rest,
    as the backend's enrolment takes it: latitude and longitude in degrees, nominal_power_w, time_zone, street ...
    """

    asset_id: str
    serial: str = ""
    mac: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON holds it; `read` takes it back."""
        return {"asset_id": self.asset_id, "serial": self.serial, "mac": self.mac, **self.facts}


def read(fields: Mapping[str, Any]) -> Plate:
    """The plate in named values (text, or numbers as JSON has them); Failure `manifest_invalid` with every error."""
    plate, errors = check(fields)
    if plate is None:
        raise Failure("manifest_invalid", "; ".join(errors))
    return plate


def check(fields: Mapping[str, Any]) -> tuple[Plate | None, list[str]]:
    """The plate in `fields`, or None with each reason why it is none. An empty value is the same as none at all."""
    values: dict[str, Any] = {}
    errors = []
    for name, given in fields.items():
        if name not in FIELDS:
            errors.append(f"{name}: there is no such field; there are {', '.join(FIELDS)}")
            continue
        text = unicodedata.normalize("NFC", "" if given is None else str(given)).strip()
        if text:
            try:
                values[name] = FIELDS[name](text)
            except ValueError as error:
                errors.append(f"{name}: {error}")
        elif name in REQUIRED:
            errors.append(f"{name}: is empty")
    errors += [f"{name}: is not there" for name in REQUIRED if name not in fields]
    if errors:
        return None, errors
    known = {name: values.pop(name, "") for name in ("asset_id", "serial", "mac")}
    return Plate(**known, facts=values), []


def parse_mac(text: str) -> bytes:
    """Six bytes, written with colons, dashes, dots or nothing between; ValueError for one that no chip has."""
    digits = text.replace(":", "").replace("-", "").replace(".", "")
    try:
        mac = bytes.fromhex(digits)
    except ValueError:
        mac = b""
    if len(mac) != 6 or len(digits) != 12:
        raise ValueError("a MAC is twelve hexadecimal digits, like 24:6f:28:00:00:01")
    if mac[0] & 1 or not any(mac):
        raise ValueError("this MAC is a group's or empty; no chip has it")
    return mac


def format_mac(mac: bytes) -> str:
    """`24:6f:28:00:00:01`: how a MAC stands in journal, manifest and JSON."""
    return mac.hex(":")


def _line(longest: int) -> Callable[[str], str]:
    def line(text: str) -> str:
        if len(text) > longest:
            raise ValueError(f"has {len(text)} characters; {longest} are the most")
        if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in text):
            raise ValueError("holds a control character")
        if "\ufffd" in text:
            raise ValueError("holds a character that was lost in a conversion; save the file as UTF-8")
        return text

    return line


def _serial(text: str) -> str:
    if len(text) > 64 or any(not 33 <= ord(character) < 127 for character in text):
        raise ValueError("a serial is 1 to 64 characters of ASCII without spaces")
    return text


def _number(lowest: float, highest: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text if "." in text else text.replace(",", "."))
        except ValueError:
            raise ValueError("is no number") from None
        if not lowest <= value <= highest:
            raise ValueError(f"must be {lowest:g} to {highest:g}")
        return value

    return number


def _time_zone(text: str) -> str:
    if text not in _TIME_ZONES:
        raise ValueError("no such IANA time zone; write it like Asia/Ho_Chi_Minh")
    return text


def _control_type(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 13):
        raise ValueError("must be a whole number 0 to 13 (3416/35 of the registry: 10 is 0-10 V, 11 PWM)")
    return int(text)


_TIME_ZONES = available_timezones()
FIELDS: Mapping[str, Callable[[str], Any]] = {
    "asset_id": _line(LONGEST),
    "serial": _serial,
    "mac": lambda text: format_mac(parse_mac(text)),
    "name": _line(LONGEST),
    "latitude": _number(-90, 90),
    "longitude": _number(-180, 180),
    "time_zone": _time_zone,
    "street": _line(LONGEST),
    "feeder": _line(LONGEST),
    "cabinet": _line(LONGEST),
    "nominal_power_w": _number(0.1, 100_000),
    "control_type": _control_type,
    "notes": _line(LONGEST_NOTES),
}
