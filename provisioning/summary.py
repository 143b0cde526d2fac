"""The summary of a batch as CSV, from manifest and journal alone: the same after a crash, and on another day."""

import csv
import io
from collections.abc import Mapping, Sequence

from provisioning import assignment
from provisioning.child import Ended
from provisioning.journal import Board
from provisioning.manifest import Manifest

COLUMNS = (
    "line", "asset_id", "serial", "mac", "endpoint", "result", "code", "detail", "at", "operator", "journal_head",
)  # fmt: skip


def summary(manifest: Manifest, boards: Mapping[str, Board], ended: Sequence[Ended], head: str) -> str:
    """One row a lamp, `finished`, `failed` or `open`, then the boards that ended without one; `head` is the digest of
    the journal's last line, by which the office knows that it holds the same journal."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    finished = assignment.finished(manifest.rows, boards)
    held = {str(board.facts.get("asset_id", "")): board for board in boards.values()}
    for row in manifest.rows:
        plate = row.plate
        board = finished.get(plate.asset_id) or held.get(plate.asset_id)
        result = "finished" if plate.asset_id in finished else "failed" if board and board.event == "failed" else "open"
        told = [str(board.facts.get(name, "")) if board and result == "failed" else "" for name in ("code", "detail")]
        by = [board.at, board.operator] if board else ["", ""]
        endpoint = str(board.facts.get("endpoint", "")) if board else ""
        mac = board.mac if board else plate.mac
        writer.writerow(
            [row.line, *map(_cell, (plate.asset_id, plate.serial, mac, endpoint, result, *told, *by)), head]
        )
    for one in ended:
        if one.code and not one.asset_id:
            cells = ("", "", one.mac, "", "failed", one.code, f"{one.port}: {one.detail}", "", "")
            writer.writerow(["", *map(_cell, cells), head])
    return out.getvalue()


def _cell(text: str) -> str:
    """A spreadsheet takes a cell that begins like a formula for one."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
