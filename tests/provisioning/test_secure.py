"""One-time bits, burnt into espefuse's virtual chips: planned, confirmed, in order, and read back afresh."""

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path

import espsecure
import pytest

from provisioning import efuses as real
from provisioning.efuses import Efuses
from provisioning.errors import Failure
from provisioning.secure import PARTS, Bits, Signing, Stage, burn, mac_of, plan

# espefuse's virtual chip leaves its file to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    with contextlib.redirect_stdout(io.StringIO()):
        espsecure.generate_signing_key("2", "rsa3072", str(path))
    return path


@pytest.fixture(scope="module")
def signing(key: Path) -> Signing:
    return Signing(key, real.digest_of(key))


def told(stages: list[Stage]) -> list[str]:
    return [stage.part for stage in stages]


@pytest.mark.parametrize("chip", ["esp32s2", "esp32c3"])
def test_a_plan_is_burnt_in_order_and_read_back_by_a_fresh_instance(
    chip: str, tmp_path: Path, signing: Signing
) -> None:
    efuses = Efuses(chip, file=tmp_path / "bits")
    parts = frozenset({"secure_boot", "jtag", "download_mode"})
    stages = plan(chip, efuses.read(), parts, signing)
    assert told(stages) == ["secure_boot", "jtag", "download_mode"]
    heard: list[tuple[str, str]] = []
    burn(efuses, stages, signing, lambda part, state: heard.append((part, state)))
    assert heard[-1] == ("download_mode", "done") and len(heard) == 6
    fields = Efuses(chip, file=tmp_path / "bits").read()
    assert fields["SECURE_BOOT_EN"] == fields["DIS_DOWNLOAD_MODE"] == "True"
    assert bytes.fromhex(fields["BLOCK_KEY0"]) == signing.digest and fields["KEY_PURPOSE_0"] == "SECURE_BOOT_DIGEST0"
    assert plan(chip, fields, parts, signing) == [], "a second run has nothing left to do"


def test_the_first_esp32_is_refused_secure_boot_and_takes_the_rest(tmp_path: Path, signing: Signing) -> None:
    efuses = Efuses("esp32", file=tmp_path / "bits")
    stages = plan("esp32", efuses.read(), frozenset({"secure_boot"}), signing)
    with pytest.raises(Failure, match="chip revision"):
        burn(efuses, stages, signing, lambda *_: None)
    assert efuses.read()["ABS_DONE_1"] == "False"
    burn(efuses, plan("esp32", efuses.read(), frozenset({"jtag", "download_mode"}), None), None, lambda *_: None)
    fields = efuses.read()
    assert fields["JTAG_DISABLE"] == fields["UART_DOWNLOAD_DIS"] == "True"


@pytest.mark.parametrize("chip", ["esp32", "esp32s3"])
def test_flash_encryption_is_made_final_and_never_switched_on(chip: str, tmp_path: Path) -> None:
    efuses = Efuses(chip, file=tmp_path / "bits")
    with pytest.raises(Failure, match="flash encryption is off") as failed:
        plan(chip, efuses.read(), frozenset({"flash_encryption"}), None)
    assert failed.value.code == "secure_refused"
    name = "FLASH_CRYPT_CNT" if chip == "esp32" else "SPI_BOOT_CRYPT_CNT"
    efuses.burn({name: "1"})  # As a bootloader does at its first start.
    burn(efuses, plan(chip, efuses.read(), frozenset({"flash_encryption"}), None), None, lambda *_: None)
    assert plan(chip, efuses.read(), frozenset({"flash_encryption"}), None) == []
    assert int(efuses.read()[name], 0) == (127 if chip == "esp32" else 7)


def test_secure_boot_needs_a_key_and_its_place_free(tmp_path: Path, signing: Signing) -> None:
    efuses = Efuses("esp32s3", file=tmp_path / "bits")
    with pytest.raises(Failure, match="signed images"):
        plan("esp32s3", efuses.read(), frozenset({"secure_boot"}), None)
    fields = efuses.read() | {"BLOCK_KEY0": "01 " * 32}
    with pytest.raises(Failure, match="another key"):
        plan("esp32s3", fields, frozenset({"secure_boot"}), signing)
    with pytest.raises(Failure, match="another key"):
        plan("esp32s3", fields | {"BLOCK_KEY0": "?"}, frozenset({"secure_boot"}), signing)


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path, signing: Signing) -> None:
    efuses = Efuses("esp32c3", file=tmp_path / "bits")
    efuses.burn_digest(signing.public_key)
    (stage,) = plan("esp32c3", efuses.read(), frozenset({"secure_boot"}), signing)
    assert not stage.digest and "SECURE_BOOT_EN" in stage.values
    burn(efuses, [stage], signing, lambda *_: None)
    assert efuses.read()["SECURE_BOOT_EN"] == "True"


def test_unknown_parts_and_chips_are_refused() -> None:
    with pytest.raises(Failure) as failed:
        plan("esp8266", {}, frozenset({"jtag"}), None)
    assert failed.value.code == "wrong_chip"
    for parts in (frozenset(), frozenset({"everything"})):
        with pytest.raises(Failure, match="name one"):
            plan("esp32", {}, parts, None)


class Bad(Bits):
    """A chip whose bits do not take, or that is silent."""

    def __init__(self, *, silent: bool = False) -> None:
        self.chip = "esp32c3"
        self.silent = silent
        self.burnt: list[str] = []

    def read(self) -> dict[str, str]:
        if self.silent and "DIS_DOWNLOAD_MODE" in self.burnt:
            raise Failure("secure_failed", "it does not answer")
        return {"DIS_PAD_JTAG": "False", "DIS_USB_JTAG": "False", "DIS_DOWNLOAD_MODE": "False"}

    def burn(self, values: Mapping[str, str]) -> None:
        self.burnt += values

    def burn_digest(self, public_key: Path) -> None:
        raise AssertionError


def test_a_bit_that_did_not_take_stops_everything_after_it() -> None:
    chip = Bad()
    stages = plan("esp32c3", chip.read(), frozenset({"jtag", "download_mode"}), None)
    with pytest.raises(Failure) as failed:
        burn(chip, stages, None, lambda *_: None)
    assert failed.value.code == "secure_failed" and "DIS_PAD_JTAG" in failed.value.detail
    assert "DIS_DOWNLOAD_MODE" not in chip.burnt


def test_a_chip_that_answers_nobody_after_download_mode_is_as_it_should_be() -> None:
    chip = Bad(silent=True)
    burn(chip, plan("esp32c3", chip.read(), frozenset({"download_mode"}), None), None, lambda *_: None)


def test_a_signature_is_checked_and_a_tampered_image_found(key: Path, tmp_path: Path) -> None:
    image, signed = tmp_path / "app.bin", tmp_path / "signed.bin"
    image.write_bytes(bytes(range(256)) * 16)
    with contextlib.redirect_stdout(io.StringIO()), key.open("rb") as pem, image.open("rb") as data:
        espsecure.sign_data("2", [pem], str(signed), False, False, None, [], [], data)
    real.check_signed(signed, key)
    data_bytes = signed.read_bytes()
    for place in (0, 2000, 4095):
        signed.write_bytes(data_bytes[:place] + bytes([data_bytes[place] ^ 1]) + data_bytes[place + 1 :])
        with pytest.raises(Failure) as failed:
            real.check_signed(signed, key)
        assert failed.value.code == "secure_refused"
    with pytest.raises(Failure):
        real.check_signed(image, key)
    with pytest.raises(Failure):
        real.digest_of(image)


def test_the_mac_is_written_as_the_journal_writes_it() -> None:
    assert mac_of({"MAC": "24:6F:28:00:00:01 (CRC 0x12 OK)"}) == "24:6f:28:00:00:01"
    assert set(PARTS) == {"secure_boot", "flash_encryption", "jtag", "download_mode"}
