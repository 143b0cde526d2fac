"""Why a board is not found, or cannot be worked on, and what to do: drivers, groups, cables, other programs, records.

Each examination is a function of what it was given; `examine` gathers from this computer. Nothing is changed.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning import account, ledger
from provisioning.errors import Failure
from provisioning.journal import Journal
from provisioning.ports import Port, adapter_name, find_all

LIBRARIES = ("esptool", "mpremote", "littlefs", "esp_idf_nvs_partition_gen", "serial", "nacl", "segno", "reportlab")
LEAST_FREE_BYTES = 100 * 1024 * 1024
# Programs that open every new serial port, or take a CH340 for a Braille display.
MEDDLERS = {"ModemManager": "ModemManager", "brltty": "brltty"}
DRIVERS = {0x10C4: "cp210x", 0x1A86: "ch341", 0x0403: "ftdi_sio", 0x067B: "pl2303", 0x303A: "cdc_acm"}


@dataclass(frozen=True)
class Finding:
    """`state`: "good", "bad" (nothing works before this is mended), "hint"; `en` and `vi` say what to do."""

    name: str
    state: str
    en: str
    vi: str

    def text(self, language: str) -> str:
        return self.vi if language == "vi" else self.en


def examine(folder: Path) -> list[Finding]:
    """Everything that can be known of this computer without opening a port."""
    ports = find_all()
    found = [*libraries(lambda name: importlib.util.find_spec(name) is not None), *boards(ports, usb_devices())]
    for port in ports:
        if port.adapter:
            found += rights(port.device)
    found += meddlers(running_programs())
    return found + records(folder, shutil.disk_usage(folder).free)


def libraries(is_there: Callable[[str], bool]) -> list[Finding]:
    missing = [name for name in LIBRARIES if not is_there(name)]
    if not missing:
        return [Finding("libraries", "good", "Every part of this tool is installed.", "Công cụ đã cài đủ thành phần.")]
    names = ", ".join(missing)
    command = "pip install 'streetlight[provisioning]'"
    return [Finding("libraries", "bad", f"Missing: {names}. Run {command}", f"Thiếu: {names}. Hãy chạy {command}")]


def boards(ports: Sequence[Port], usb: Iterable[tuple[int, int]]) -> list[Finding]:
    """What hangs on USB, against the serial ports that came of it: an adapter without a port lacks its driver."""
    found = [
        Finding("board", "good", f"{port.device}: {port.adapter}", f"{port.device}: {port.adapter}")
        for port in ports
        if port.adapter
    ]
    with_port = [(port.vendor, port.product) for port in ports]
    for vendor, product in usb:
        name = adapter_name(vendor, product)
        if name and (vendor, product) not in with_port:
            driver = DRIVERS.get(vendor, "usbserial")
            found.append(
                Finding(
                    "driver",
                    "bad",
                    f"{name} is plugged in and has no port. Load its driver: `sudo modprobe {driver}`.",
                    f"{name} đã cắm nhưng không có cổng. Hãy nạp trình điều khiển: `sudo modprobe {driver}`.",
                )
            )
    if not found:
        found.append(
            Finding(
                "cable",
                "bad",
                "No board on USB. Try another cable (many carry power only), another socket, no hub; a light on the"
                " board means power, not data.",
                "Không thấy bo mạch trên USB. Hãy thử cáp khác (nhiều cáp chỉ cấp nguồn), ổ cắm khác, không qua hub;"
                " đèn trên bo mạch chỉ báo có nguồn.",
            )
        )
    return found


def rights(device: str) -> list[Finding]:
    """Whether this user may open `device`, and how to become one who may."""
    if os.access(device, os.R_OK | os.W_OK):
        return []
    if sys.platform == "win32":
        return []
    import grp
    import pwd

    try:
        group = grp.getgrgid(Path(device).stat().st_gid)
        user = pwd.getpwuid(os.getuid()).pw_name
    except (OSError, KeyError):
        return []
    if user in group.gr_mem and group.gr_gid not in os.getgroups():
        return [
            Finding(
                "rights",
                "bad",
                f"{device}: you are in the group {group.gr_name} since your last login. Log out and in again.",
                f"{device}: bạn vừa được thêm vào nhóm {group.gr_name}. Hãy đăng xuất rồi đăng nhập lại.",
            )
        ]
    command = f"sudo usermod -aG {group.gr_name} {user}"
    return [
        Finding(
            "rights",
            "bad",
            f"{device}: you may not open it. Run `{command}`, then log out and in again.",
            f"{device}: bạn không có quyền mở. Hãy chạy `{command}`, rồi đăng xuất và đăng nhập lại.",
        )
    ]


def meddlers(programs: Iterable[str]) -> list[Finding]:
    """Programs that get between this tool and a new port."""
    running = sorted(set(programs) & set(MEDDLERS))
    return [
        Finding(
            "program",
            "hint",
            f"{name} opens new serial ports. If ports are busy: `sudo systemctl stop {MEDDLERS[name]}`.",
            f"{name} tự mở cổng nối tiếp mới. Nếu cổng bị bận: `sudo systemctl stop {MEDDLERS[name]}`.",
        )
        for name in running
    ]


def records(folder: Path, free_bytes: int) -> list[Finding]:
    """The journal, the ledger that waits, the login, and room for more."""
    found = []
    if free_bytes < LEAST_FREE_BYTES:
        room = f"{free_bytes // 1024 // 1024} MB"
        found.append(
            Finding("disk", "bad", f"Only {room} are free: make room.", f"Chỉ còn {room} trống: hãy dọn ổ đĩa.")
        )
    try:
        head = Journal(folder, "", lambda: 0).check()
        found.append(
            Finding(
                "journal", "good", f"{head.count} entries, none changed.", f"{head.count} mục, không mục nào bị sửa."
            )
        )
    except Failure as failure:
        found.append(_of(failure, "journal"))
    waiting = folder / ledger.FILE
    if waiting.exists():
        try:
            count = ledger.check(waiting).lines
            if count:
                found.append(
                    Finding(
                        "ledger",
                        "hint",
                        f"{count} enrolments wait: run `streetlight provision sync` when there is a network.",
                        f"{count} lượt đăng ký đang chờ: khi có mạng hãy chạy `streetlight provision sync`.",
                    )
                )
        except Failure as failure:
            found.append(_of(failure, "ledger"))
    try:
        url = account.load(folder).url
        found.append(Finding("login", "good", f"Logged in to {url}.", f"Đã đăng nhập {url}."))
    except Failure as failure:
        found.append(_of(failure, "login", "hint"))
    return found


def _of(failure: Failure, name: str, state: str = "bad") -> Finding:
    return Finding(
        name, state, f"{failure.detail}: {failure.advice('en')}", f"{failure.detail}: {failure.advice('vi')}"
    )


def usb_devices(root: Path = Path("/sys/bus/usb/devices")) -> list[tuple[int, int]]:
    """USB ids of everything that is plugged in, where the system tells (Linux)."""
    found = []
    for vendor in sorted(root.glob("*/idVendor")):
        try:
            found.append((int(vendor.read_text(), 16), int(vendor.with_name("idProduct").read_text(), 16)))
        except (OSError, ValueError):
            continue
    return found


def running_programs(root: Path = Path("/proc")) -> list[str]:
    """Names of the running programs, where the system tells (Linux)."""
    found = []
    for name in root.glob("[0-9]*/comm"):
        try:
            found.append(name.read_text().strip())
        except OSError:
            continue
    return found
