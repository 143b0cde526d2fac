"""The chip's one-time bits: the only module that imports espefuse and espsecure (GPL-2.0-or-later, as esptool).

Every call opens an instance of its own, so that what is read was read from the chip after what was burnt: an instance
shows its own wishes otherwise, and with `skip_connect` reports success for nothing. `file` gives espefuse's virtual
chip, which keeps its bits in that file.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provisioning.errors import Failure

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Of what it takes from click.
        import espefuse
        import espsecure
    from esptool import FatalError
except ImportError as error:
    raise Failure("tool_missing", "espefuse") from error


class Efuses:
    """The eFuses of the chip at `port`, or of a virtual `chip` in `file`."""

    def __init__(self, chip: str, *, port: str | None = None, file: Path | None = None) -> None:
        self.chip = chip
        self._port = port
        self._file = file

    def read(self) -> dict[str, str]:
        """Every field by name, as espefuse shows it ("True", "0b001", "USER", "ab cd ..."); unreadable keys are "?"."""
        with self._open() as commands:
            self.chip = str(commands.esp.CHIP_NAME).lower().replace("-", "")
            found = {}
            for field in commands.efuses.efuses:
                found[field.name] = str(field.get()).strip() if field.is_readable() else "?"
            return found

    def burn(self, values: Mapping[str, str]) -> None:
        """Burn fields by name; Failure `secure_failed` when the chip did not take one."""
        with self._open() as commands:
            commands.burn_efuse(dict(values))

    def burn_digest(self, public_key: Path) -> None:
        """Burn the SHA-256 of the secure boot v2 key: BLOCK2 of the ESP32, the first key block elsewhere; protected."""
        with self._open() as commands, public_key.open("rb") as key:
            if self.chip == "esp32":
                commands.burn_key_digest(key)
            else:
                commands.burn_key_digest(["BLOCK_KEY0"], [key], ["SECURE_BOOT_DIGEST0"])

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        chosen: dict[str, Any] = {"chip": self.chip, "port": self._port}
        if self._file is not None:
            chosen = {"chip": self.chip, "virt": True, "virt_efuse_file": str(self._file)}
        with (
            _translated(self._port or "", "secure_failed"),
            espefuse.init_commands(**chosen, do_not_confirm=True) as commands,
        ):
            yield commands


def digest_of(public_key: Path) -> bytes:
    """The digest that `burn_digest` burns; Failure `secure_refused` for a file that is no such key."""
    with _translated(public_key.name, "secure_refused"), public_key.open("rb") as key:
        return bytes(espsecure._digest_sbv2_public_key(key))


def check_signed(image: Path, public_key: Path) -> None:
    """Failure `secure_refused` unless `image` carries a signature of `public_key`.

    The version is the text "2": with the number 2 the library accepts an image that was tampered with.
    """
    with _translated(image.name, "secure_refused"), image.open("rb") as data, public_key.open("rb") as key:
        espsecure.verify_signature("2", False, None, key, data)


@contextlib.contextmanager
def _translated(what: str, code: str) -> Iterator[None]:
    """Their errors as Failure, and their words kept from the screen: some of them show keys."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    except FatalError as error:
        raise Failure(code, f"{what}: {error}"[:300]) from None
    except OSError as error:  # pyserial's errors are these.
        raise Failure("unplugged" if what.startswith(("/dev", "COM")) else code, f"{what}: {error.strerror}") from None
    except (ValueError, SystemExit) as error:
        raise Failure(code, f"{what}: {type(error).__name__}") from None
