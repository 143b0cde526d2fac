"""Locking a finished lamp for good: which one-time bits, in which order, and what must be true before. Pure but for
the `efuses` that it is given.

Order, the least reversible last: secure boot v2 (digest of the signing key, other key slots revoked, then the switch),
flash encryption made final, JTAG off, download mode off. After download mode is off a chip answers nobody any more.

Flash encryption is switched on by a bootloader that was built for it, at its first start; here it is only made final.
A stock MicroPython is not built for it, nor signed, and is refused: switching it on from outside would make a brick.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provisioning.errors import Failure

PARTS = ("secure_boot", "flash_encryption", "jtag", "download_mode")
_JTAG = {
    "esp32": {"JTAG_DISABLE": "1"},
    "esp32s2": {"HARD_DIS_JTAG": "1"},
    "esp32s3": {"DIS_PAD_JTAG": "1", "DIS_USB_JTAG": "1"},
    "esp32c3": {"DIS_PAD_JTAG": "1", "DIS_USB_JTAG": "1"},
    "esp32c6": {"DIS_PAD_JTAG": "1", "DIS_USB_JTAG": "1"},
}
_DOWNLOAD = {"esp32": {"UART_DOWNLOAD_DIS": "1"}, "": {"DIS_DOWNLOAD_MODE": "1"}}
_BOOT = {
    "esp32": {"ABS_DONE_1": "1"},
    "esp32s2": {"SECURE_BOOT_KEY_REVOKE1": "1", "SECURE_BOOT_KEY_REVOKE2": "1", "SECURE_BOOT_EN": "1"},
    "": {"SECURE_BOOT_KEY_REVOKE1": "1", "SECURE_BOOT_KEY_REVOKE2": "1", "DIS_DIRECT_BOOT": "1", "SECURE_BOOT_EN": "1"},
}
_ENCRYPTION = {
    "esp32": {"FLASH_CRYPT_CNT": "127", "DISABLE_DL_ENCRYPT": "1", "DISABLE_DL_DECRYPT": "1", "DISABLE_DL_CACHE": "1"},
    "": {"SPI_BOOT_CRYPT_CNT": "7", "DIS_DOWNLOAD_MANUAL_ENCRYPT": "1"},
}


class Bits(Protocol):
    """`efuses.Efuses`."""

    chip: str

    def read(self) -> dict[str, str]: ...
    def burn(self, values: Mapping[str, str]) -> None: ...
    def burn_digest(self, public_key: Path) -> None: ...


@dataclass(frozen=True)
class Signing:
    """The public half of the key, its digest, and the images on the chip that carry its signature."""

    public_key: Path
    digest: bytes


@dataclass(frozen=True)
class Stage:
    """Fields that are burnt together; `digest`: with the key's, first."""

    part: str
    values: Mapping[str, str]
    digest: bytes = b""

    def lines(self) -> list[str]:
        """What will be burnt, one a line."""
        key = [f"digest of the signing key = {self.digest.hex()}"] if self.digest else []
        return key + [f"{name} = {value}" for name, value in self.values.items()]


def plan(chip: str, fields: Mapping[str, str], parts: frozenset[str], signing: Signing | None) -> list[Stage]:
    """What is still to be burnt for `parts`, in order; fields that are as they shall be are left out.

    Failure `secure_refused` with the reason when a part would make a brick, `wrong_chip` for one that is not known.
    """
    if chip not in _JTAG:
        raise Failure("wrong_chip", chip)
    if parts - set(PARTS) or not parts:
        raise Failure("secure_refused", f"name one or more of {', '.join(PARTS)}")
    stages = []
    if "secure_boot" in parts:
        if signing is None:
            raise Failure("secure_refused", "secure boot needs the key and the signed images that the board runs")
        stages.append(_boot_stage(chip, fields, signing))
    if "flash_encryption" in parts:
        name = "FLASH_CRYPT_CNT" if chip == "esp32" else "SPI_BOOT_CRYPT_CNT"
        if _number(fields[name]).bit_count() % 2 == 0:
            raise Failure(
                "secure_refused", "flash encryption is off: start the board once with a bootloader built for it"
            )
        stages.append(Stage("flash_encryption", _missing(fields, _for(_ENCRYPTION, chip))))
    if "jtag" in parts:
        stages.append(Stage("jtag", _missing(fields, _JTAG[chip])))
    if "download_mode" in parts:
        stages.append(Stage("download_mode", _missing(fields, _for(_DOWNLOAD, chip))))
    return [stage for stage in stages if stage.values or stage.digest]


def burn(efuses: Bits, stages: list[Stage], signing: Signing | None, tell: Callable[[str, str], None]) -> None:
    """Burn the stages, each read back by a fresh instance before the next; `tell(part, state)`.

    Failure `secure_failed` names the field that does not read as it should; nothing after it is burnt.
    """
    for stage in stages:
        tell(stage.part, "started")
        if stage.digest:
            assert signing is not None
            efuses.burn_digest(signing.public_key)
            _check_digest(efuses.chip, efuses.read(), stage.digest)
        efuses.burn(stage.values)
        _check(efuses, stage)
        tell(stage.part, "done")


def _check(efuses: Bits, stage: Stage) -> None:
    try:
        fields = efuses.read()
    except Failure:
        if stage.part == "download_mode":
            return  # It answers nobody any more: that is what was asked for.
        raise
    missing = _missing(fields, stage.values)
    if missing:
        raise Failure("secure_failed", f"not burnt: {', '.join(missing)}")


def _boot_stage(chip: str, fields: Mapping[str, str], signing: Signing) -> Stage:
    held = _digest_held(chip, fields)
    if held == signing.digest:
        return Stage("secure_boot", _missing(fields, _for(_BOOT, chip)))
    if any(held) or (chip != "esp32" and fields["KEY_PURPOSE_0"] != "USER"):
        raise Failure("secure_refused", "the chip holds another key where the digest belongs")
    return Stage("secure_boot", _missing(fields, _for(_BOOT, chip)), signing.digest)


def _check_digest(chip: str, fields: Mapping[str, str], digest: bytes) -> None:
    if _digest_held(chip, fields) != digest:
        raise Failure("secure_failed", "the digest of the key does not read back")


def _digest_held(chip: str, fields: Mapping[str, str]) -> bytes:
    text = fields["BLOCK2" if chip == "esp32" else "BLOCK_KEY0"]
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"?"  # Read-protected: a key, and not a digest of ours.


def _missing(fields: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if _number(fields[name]) != int(value)}


def _number(text: str) -> int:
    if text in ("True", "False"):
        return int(text == "True")
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _for(table: Mapping[str, Mapping[str, str]], chip: str) -> Mapping[str, str]:
    return table.get(chip, table[""])


def mac_of(fields: Mapping[str, str]) -> str:
    """The chip's own MAC among its fields, as the journal writes it."""
    return fields["MAC"].split(" ")[0].lower()
