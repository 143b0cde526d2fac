"""Labels carry endpoint and asset id and nothing else; ports are found by their USB ids."""

import io
import re
import zlib
from base64 import a85decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from provisioning import label, ports
from provisioning.errors import Failure
from provisioning.ports import Port

ENDPOINT = "urn:dev:mac:246f28fffe000001"


def modules(png: bytes) -> list[list[int]]:
    """The dark cells of a code, read back from its pixels."""
    image = Image.open(io.BytesIO(png)).convert("1")
    side = image.width // 8
    assert image.width == image.height == side * 8
    cells = [[int(not image.getpixel((column * 8 + 4, row * 8 + 4))) for column in range(side)] for row in range(side)]
    assert not any(any(line) for line in cells[:4] + cells[-4:]), "the quiet zone is quiet"
    return [line[4:-4] for line in cells[4:-4]]


def drawing(pdf: bytes) -> bytes:
    (stream,) = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S)
    return zlib.decompress(a85decode(b"<~" + stream.strip(), adobe=True))


def test_the_code_of_png_and_pdf_is_endpoint_and_asset_id() -> None:
    assert label.text(ENDPOINT, "Q1-Đèn 7") == f"{ENDPOINT}\nQ1-Đèn 7"
    wanted = [[int(cell) for cell in row] for row in label.code(ENDPOINT, "Q1-Đèn 7").matrix]
    assert modules(label.png(ENDPOINT, "Q1-Đèn 7")) == wanted
    shown = drawing(label.pdf([(ENDPOINT, "Q1-Đèn 7")]))
    boxes = [tuple(map(float, box)) for box in re.findall(rb"n ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f", shown)]
    assert len(boxes) == sum(map(sum, wanted))
    step = boxes[0][2]
    left, top = min(x for x, *_ in boxes), max(y for _, y, *_ in boxes)
    drawn = {(round((top - y) / step), round((x - left) / step)) for x, y, *_ in boxes}
    assert drawn == {(row, column) for row, line in enumerate(wanted) for column, dark in enumerate(line) if dark}
    assert b"(Q1-Den 7) Tj" in shown and b"(246f28fffe000001) Tj" in shown


def test_a_label_is_the_same_bytes_each_time_and_a_sheet_has_a_page_a_lamp() -> None:
    assert label.pdf([(ENDPOINT, "A")]) == label.pdf([(ENDPOINT, "A")])
    assert label.pdf([(ENDPOINT, "A"), (ENDPOINT, "B")]).count(b"/Type /Page\n") == 2


def test_files_are_named_after_the_lamp_and_stay_in_their_folder(tmp_path: Path) -> None:
    path = label.write(tmp_path / "labels", ENDPOINT, "../../etc/Đường 3")
    assert path.parent == tmp_path / "labels" and path.name == "etc-Duong-3-246f28fffe000001.pdf"
    assert path.read_bytes().startswith(b"%PDF") and path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert label.write(tmp_path, ENDPOINT, "ホ").name == "lamp-246f28fffe000001.pdf"


def test_letters_that_the_font_lacks_lose_their_marks() -> None:
    assert label.plain("Đèn Nguyễn Huệ 7 ☂") == "Den Nguyen Hue 7 ?"


@pytest.mark.parametrize("asset_id", ["A", "Q" * 120, "W" * 40])
def test_any_asset_id_fits(asset_id: str) -> None:
    assert label.pdf([(ENDPOINT, asset_id)]).startswith(b"%PDF")


def test_a_label_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as failed:
        label.write(tmp_path / "file", ENDPOINT, "A")
    assert failed.value.code == "folder_denied"


def usb(device: str, vendor: int | None = None, product: int | None = None) -> Any:
    return SimpleNamespace(device=device, vid=vendor, pid=product, serial_number=None)


def test_boards_are_known_by_their_usb_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        usb("/dev/ttyS0"),
        usb("/dev/ttyUSB1", 0x10C4, 0xEA60),
        usb("/dev/ttyACM0", 0x303A, 0x4002),
        usb("/dev/ttyUSB0", 0x1A86, 0x55D4),
        usb("/dev/ttyACM1", 0x2341, 0x0043),
        usb("/dev/tty.usbserial-1", 0x10C4, 0xEA60),
        usb("/dev/cu.usbserial-1", 0x10C4, 0xEA60),
    ]
    monkeypatch.setattr(ports.list_ports, "comports", lambda: listed)
    assert [(port.device, port.adapter) for port in ports.find_boards()] == [
        ("/dev/cu.usbserial-1", "Silicon Labs CP210x"),
        ("/dev/ttyACM0", "Espressif USB"),
        ("/dev/ttyUSB0", "WCH CH9102"),
        ("/dev/ttyUSB1", "Silicon Labs CP210x"),
    ]
    assert [port.device for port in ports.find_all()][-2:] == ["/dev/ttyACM1", "/dev/ttyS0"]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def test_a_board_that_is_plugged_in_while_we_wait_is_taken() -> None:
    clock = Clock()
    found = ports.wait(10, lambda: [Port("/dev/ttyUSB0")] if clock.now > 3 else [], clock, clock.pause)
    assert found.device == "/dev/ttyUSB0" and 3 < clock.now < 4


@pytest.mark.parametrize(
    ("found", "code", "detail"),
    [([], "no_board", "waited 10 s"), ([Port("/dev/a"), Port("/dev/b")], "several_boards", "/dev/a, /dev/b")],
)
def test_none_or_several_boards_are_told(found: list[Port], code: str, detail: str) -> None:
    clock = Clock()
    with pytest.raises(Failure) as failed:
        ports.wait(10, lambda: found, clock, clock.pause)
    assert (failed.value.code, failed.value.detail) == (code, detail)


def test_named_ports_are_listed_while_they_exist(tmp_path: Path) -> None:
    path = tmp_path / "board"
    lister = ports.named([str(path), "COM3", str(path)])
    assert [port.device for port in lister()] == ["COM3"]
    path.write_text("")
    assert [port.device for port in lister()] == [str(path), "COM3"]
