"""What stands on the command line, as values for a run. A bad one is a `Wrong`: one line that says what to do."""

import getpass
import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from provisioning import plate, state
from provisioning.errors import Failure, of_file
from provisioning.plate import Plate

WIFI_VARIABLE = "STREETLIGHT_WIFI_PASSWORD"
OPERATOR_VARIABLE = "STREETLIGHT_OPERATOR"
BASES = "bases.json"
_MOST_BYTES = 32 * 1024 * 1024
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


class Wrong(ValueError):
    """A value of the command line that cannot be used; the text names the option and what it takes."""


def read_plate(values: Mapping[str, Any]) -> Plate:
    """The plate in the options that were given."""
    found, errors = plate.check({name: value for name, value in values.items() if value is not None})
    if found is None:
        named = (error.partition(":") for error in errors)
        raise Wrong("; ".join(f"--{name.replace('_', '-')}{colon}{reason}" for name, colon, reason in named))
    return found


def plate_of_line(line: str) -> Plate:
    """The plate that a batch wrote; an empty line means that there is no work. Failure `interrupted`."""
    if not line.strip():
        raise Failure("interrupted", "no plate was given for this board")
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise ValueError
    except ValueError:
        raise Failure("manifest_invalid", "the plate is no line of JSON") from None
    return plate.read(fields)


def settings_of(found: Plate, safety_floor: int, at: datetime) -> dict[str, Any]:
    """The start values of a lamp at this place: what `firmware.settings` takes."""
    facts = found.facts
    settings: dict[str, Any] = {
        "latitude_e6": round(float(facts["latitude"]) * 1_000_000),
        "longitude_e6": round(float(facts["longitude"]) * 1_000_000),
        "time_zone": facts["time_zone"],
        "standard_offset_s": _standard_offset_s(str(facts["time_zone"]), at),
    }
    if safety_floor:
        settings["safety_floor"] = safety_floor
    if "nominal_power_w" in facts:
        settings["nominal_power_w"] = max(1, min(5000, round(float(facts["nominal_power_w"]))))
    if "control_type" in facts:
        settings["control_type"] = facts["control_type"]
    return settings


def _standard_offset_s(name: str, at: datetime) -> int:
    local = at.astimezone(ZoneInfo(name))
    offset = (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))
    return round(offset.total_seconds())


def server_host(given: str | None, backend: str | None) -> str:
    """Where lamps speak to: what was given, else the host of the backend's address."""
    host = given if given is not None else (urlsplit(backend).hostname or "") if backend else ""
    if not host:
        raise Wrong("--server-host is missing: name the host that the lamp reports to, or --backend URL")
    if not _HOST.fullmatch(host):
        raise Wrong("--server-host must be a host name or an address, without scheme, port or spaces")
    return host


def read_base(path: Path | None) -> bytes:
    """The base image."""
    if path is None:
        raise Wrong("--base is missing: name the MicroPython image for this chip, as micropython.org publishes it")
    return _read(path, "--base")


def read_wiring(path: Path | None) -> bytes | None:
    """The text of a board.json, as the lamp will read it."""
    if path is None:
        return None
    data = _read(path, "--wiring")
    try:
        fields = json.loads(data)
    except (ValueError, UnicodeError):
        fields = None
    if not isinstance(fields, dict) or len(data) > 4096:
        raise Wrong(
            f"--wiring: {path} is no JSON object of at most 4 KB; see firmware/hal/esp32_wiring.py for its names"
        )
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _read(path: Path, option: str) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Wrong(f"{option}: {path} is larger than any chip")
        return path.read_bytes()
    except OSError as error:
        raise Wrong(f"{option}: {path} cannot be read: {error.strerror or error}") from None


def wifi(ssid: str | None, password_file: Path | None, ask: Any = None) -> dict[str, str]:
    """The network of the lamp. The password comes from the environment, a file, or a person (`ask()`)."""
    if not ssid:
        if password_file is not None:
            raise Wrong("--wifi-password-file is for a network: name it with --wifi-ssid")
        return {}
    if len(ssid.encode()) > 32:
        raise Wrong("--wifi-ssid has at most 32 bytes")
    given = os.environ.get(WIFI_VARIABLE)
    if password_file is not None:
        given = _read(password_file, "--wifi-password-file").decode("utf-8", "replace").rstrip("\r\n")
    elif given is None and ask is not None:
        given = str(ask())
    if given and not 8 <= len(given) <= 64:
        raise Wrong("the Wi-Fi password must have 8 to 64 characters, or be empty for an open network")
    return {"wifi_ssid": ssid, "wifi_password": given or ""}


def operator(given: str | None) -> str:
    """Who holds the cable: an option, the environment, or the account of this computer."""
    try:
        name = given or os.environ.get(OPERATOR_VARIABLE) or getpass.getuser()
    except (OSError, KeyError):
        name = ""
    if not name or len(name) > 80 or not name.isprintable():
        raise Wrong("--operator is missing or no name: 1 to 80 characters")
    return name


def known_bases(folder: Path) -> dict[str, str]:
    """{SHA-256: name} of the base images that finished a board on this computer before."""
    path = folder / BASES
    try:
        held = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise of_file(error, path) from None
    except ValueError:
        return {}  # it only saves typing: the hash can be given again
    return {str(digest): str(name) for digest, name in held.items()} if isinstance(held, dict) else {}


def remember_base(folder: Path, base: bytes, name: str) -> None:
    """From now on this image needs no --base-sha256 here: somebody vouched for it, and a board passed with it."""
    digest = hashlib.sha256(base).hexdigest()
    known = known_bases(folder)
    if digest not in known:
        state.write(folder / BASES, json.dumps({**known, digest: name}, indent=1).encode(), private=True)


def now() -> datetime:
    return datetime.now(UTC)
