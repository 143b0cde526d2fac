"""The doctor: each cause has its cure, in both languages."""

import os
from pathlib import Path

import pytest

from provisioning import doctor
from provisioning.doctor import Finding
from provisioning.journal import Journal
from provisioning.ports import Port

CP210X = (0x10C4, 0xEA60)


def names(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.name, finding.state) for finding in found]


def test_an_adapter_without_a_port_lacks_its_driver() -> None:
    (finding,) = doctor.boards([Port("/dev/ttyS0")], [CP210X, (0x046D, 0xC31C)])
    assert finding.name == "driver" and "modprobe cp210x" in finding.en and "modprobe cp210x" in finding.vi


def test_nothing_on_usb_is_a_matter_of_the_cable() -> None:
    assert names(doctor.boards([Port("/dev/ttyS0")], [(0x046D, 0xC31C)])) == [("cable", "bad")]


def test_a_board_with_its_port_is_good() -> None:
    found = doctor.boards([Port("/dev/ttyUSB0", "Silicon Labs CP210x", *CP210X)], [CP210X])
    assert names(found) == [("board", "good")]


def test_a_port_that_may_not_be_opened_names_group_and_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "port"
    port.write_text("")
    assert doctor.rights(str(port)) == []
    monkeypatch.setattr(os, "access", lambda *_: False)
    (finding,) = doctor.rights(str(port))
    assert "usermod -aG" in finding.en or "Log out" in finding.en


def test_programs_that_take_ports_are_named() -> None:
    assert "systemctl stop brltty" in doctor.meddlers(["bash", "brltty"])[0].text("vi")
    assert doctor.meddlers(["bash"]) == []


def test_missing_parts_are_named() -> None:
    (finding,) = doctor.libraries(lambda name: name != "esptool")
    assert finding.state == "bad" and "esptool" in finding.en and doctor.libraries(lambda _: True)[0].state == "good"


def test_records_are_looked_at(tmp_path: Path) -> None:
    Journal(tmp_path, "anna", lambda: 0).append("drawn", mac="24:6f:28:00:00:01")
    assert names(doctor.records(tmp_path, 1 << 40)) == [("journal", "good"), ("login", "hint")]
    (tmp_path / "journal.jsonl").write_bytes(b"")
    (tmp_path / "ledger.jsonl").write_bytes(b"{}\n")
    assert names(doctor.records(tmp_path, 1000)) == [
        ("disk", "bad"),
        ("journal", "bad"),
        ("ledger", "bad"),
        ("login", "hint"),
    ]


def test_usb_and_programs_are_read_from_where_linux_tells(tmp_path: Path) -> None:
    device = tmp_path / "1-1"
    device.mkdir()
    (device / "idVendor").write_text("10c4\n")
    (device / "idProduct").write_text("ea60\n")
    (tmp_path / "2-1").mkdir()
    (tmp_path / "2-1" / "idVendor").write_text("zz\n")
    assert doctor.usb_devices(tmp_path) == [CP210X]
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "comm").write_text("ModemManager\n")
    assert doctor.running_programs(tmp_path) == ["ModemManager"]
