"""The label of a lamp: a QR code with endpoint and asset id, and nothing else in it; PNG, and PDF to print.

The code's text is the endpoint, a newline, the asset id, in UTF-8. Beside it stand both for a reader without a phone;
the fonts of the PDF have no Vietnamese, so the printed line drops the marks and the code keeps them.
"""

import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import segno
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from provisioning import state
from provisioning.errors import of_file

WIDTH_MM, HEIGHT_MM = 62, 29  # A size that label printers of every maker have.
_FONT = "Helvetica-Bold"
_SMALLEST_PT, _LARGEST_PT = 4.0, 12.0


def text(endpoint: str, asset_id: str) -> str:
    """What a phone reads from the code."""
    return f"{endpoint}\n{asset_id}"


def code(endpoint: str, asset_id: str) -> segno.QRCode:
    """The code; correction M bears 15 % of dirt."""
    return segno.make(text(endpoint, asset_id), error="m", micro=False, encoding="utf-8")


def png(endpoint: str, asset_id: str) -> bytes:
    """The code alone, with its quiet zone, 8 pixels a module."""
    out = io.BytesIO()
    code(endpoint, asset_id).save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def pdf(lamps: Sequence[tuple[str, str]]) -> bytes:
    """One page of 62 x 29 mm for each (endpoint, asset id), the same bytes each time."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH_MM * mm, HEIGHT_MM * mm), invariant=1)
    canvas.setTitle("Streetlight")
    for endpoint, asset_id in lamps:
        _page(canvas, endpoint, asset_id)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def write(folder: Path, endpoint: str, asset_id: str) -> Path:
    """Put `<asset id>-<end of the endpoint>.png` and `.pdf` into `folder`; the path of the PDF. Raises Failure."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise of_file(error, folder) from None
    stem = f"{_file_name(asset_id)}-{_file_name(endpoint)[-16:]}"
    state.write(folder / f"{stem}.png", png(endpoint, asset_id))
    state.write(folder / f"{stem}.pdf", pdf([(endpoint, asset_id)]))
    return folder / f"{stem}.pdf"


def plain(shown: str) -> str:
    """`shown` in the letters that the PDF's font has: marks are dropped, what is left over becomes `?`."""
    parts = unicodedata.normalize("NFD", shown.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(character for character in parts if not unicodedata.combining(character))
    return letters.encode("ascii", "replace").decode("ascii")


def _file_name(shown: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", plain(shown)).strip("-")[:60] or "lamp"


def _page(canvas: Canvas, endpoint: str, asset_id: str) -> None:
    matrix = code(endpoint, asset_id).matrix
    side = (HEIGHT_MM - 4) * mm
    module = side / (len(matrix) + 8)  # Four modules of quiet zone on each side.
    left, top = 2 * mm + 4 * module, (HEIGHT_MM - 2) * mm - 4 * module
    for row, cells in enumerate(matrix):
        for column, dark in enumerate(cells):
            if dark:
                canvas.rect(left + column * module, top - (row + 1) * module, module, module, stroke=0, fill=1)
    beside = 2 * mm + side + 1 * mm
    room = WIDTH_MM * mm - beside - 2 * mm
    height = top - 10
    for line in (plain(asset_id), *_in_parts(endpoint)):
        size = _size(line, room)
        canvas.setFont(_FONT, size)
        canvas.drawString(beside, height, _cut(line, room, size))
        height -= size + 4


def _in_parts(endpoint: str) -> list[str]:
    """An endpoint is longer than a label is wide: its last part, which differs, has a line of its own."""
    before, separator, last = endpoint.rpartition(":")
    return [before + separator, last] if separator else [endpoint]


def _size(line: str, room: float) -> float:
    wide = stringWidth(line, _FONT, 1.0)
    return max(_SMALLEST_PT, min(_LARGEST_PT, room / wide if wide else _LARGEST_PT))


def _cut(line: str, room: float, size: float) -> str:
    while len(line) > 1 and stringWidth(line, _FONT, size) > room:
        line = line[:-1]
    return line
