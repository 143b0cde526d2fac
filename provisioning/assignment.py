"""Which lamp of a manifest a board becomes: pure, from the manifest and what the journal knows.

One lamp is one board and the other way round, over crashes and technicians: a choice counts when it is in the journal
(`assigned`), which is looked at and written under one lock.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning import state
from provisioning.errors import Failure
from provisioning.journal import FORGOTTEN_BY, Board, Journal
from provisioning.manifest import Row
from provisioning.plate import Plate


@dataclass(frozen=True)
class Choice:
    """What a board becomes; `losers` are the MACs whose identity, which somebody may count on, is given up for it."""

    plate: Plate
    losers: tuple[str, ...] = ()


class NothingLeft(Exception):
    """No work for a board: every lamp of the manifest is finished or bound to another one.

    With its MAC as argument: it is a finished lamp of this manifest itself.
    """


def choose(rows: Sequence[Row], boards: Mapping[str, Board], mac: str, *, replace: bool) -> Choice:
    """The lamp for the board `mac`. Failure `already_sealed`, `mac_known`, unless `replace`; NothingLeft."""
    named = {row.plate.asset_id: row.plate for row in rows}
    bound = _bound(boards)
    planned = next((row.plate for row in rows if row.plate.mac == mac), None)
    held = bound.get(mac, "")
    if held in named and (planned is None or planned.asset_id == held) and named[held].mac in ("", mac):
        if boards[mac].is_finished and not replace:
            raise Failure("already_sealed", f"{mac} is {held}")
        return Choice(named[held])
    if held and not replace:
        other = f", and {planned.asset_id} in the manifest" if planned else ""
        raise Failure("mac_known", f"{mac} is {held} in the journal{other}")
    own = (mac,) if held else ()
    owners = {asset: other for other, asset in bound.items() if other != mac}
    if planned is not None:
        owner = owners.get(planned.asset_id)
        if owner and not replace:
            raise Failure("mac_known", f"{planned.asset_id} is {owner} in the journal")
        return Choice(planned, own + ((owner,) if owner else ()))
    free = [row.plate for row in rows if not row.plate.mac]
    for plate in free:
        if plate.asset_id not in owners:
            return Choice(plate, own)
    if replace:
        # Boards that were begun and put aside give their lamps up last; a finished one only to a row that names a MAC.
        for plate in free:
            if not boards[owners[plate.asset_id]].is_finished:
                return Choice(plate, (*own, owners[plate.asset_id]))
    raise NothingLeft


def claim(
    folder: Path,
    journal: Journal,
    rows: Sequence[Row],
    mac: str,
    *,
    replace: bool,
    manifest: str = "",
    is_busy: Callable[[str], bool] = lambda mac: False,
) -> Plate:
    """Choose for `mac` and put it in the journal, under the lock that every run on this computer takes.

    Beyond `choose`: Failure `serial_used`. `manifest` is the SHA-256 that names it; `is_busy(mac)`: that board is at
    work now and keeps its lamp.
    """
    with state.locked(folder / "assignment.lock"):
        boards = journal.boards()
        chosen = choose(rows, boards, mac, replace=replace)
        plate = chosen.plate
        user, asset_id = serials(journal.entries()).get(plate.serial, (mac, ""))
        if user != mac and user not in chosen.losers and not replace:
            raise Failure("serial_used", f"{plate.serial} is {asset_id or user} in the journal")
        if any(is_busy(loser) for loser in chosen.losers if loser != mac):
            raise NothingLeft
        for loser in chosen.losers:
            journal.append("replaced", mac=loser, asset_id_before=boards[loser].facts.get("asset_id", ""))
        if chosen.losers or mac not in boards or boards[mac].facts.get("asset_id") != plate.asset_id:
            journal.append("assigned", mac=mac, asset_id=plate.asset_id, serial=plate.serial, manifest=manifest)
        return plate


def claim_one(folder: Path, journal: Journal, plate: Plate, mac: str, *, replace: bool) -> Plate:
    """The same for a single run, whose board is on the cable: this plate or a Failure."""
    return claim(folder, journal, [Row(0, dataclasses.replace(plate, mac=mac))], mac, replace=replace)


def finished(rows: Sequence[Row], boards: Mapping[str, Board]) -> dict[str, Board]:
    """The finished board of each lamp of the manifest that has one, by asset id."""
    wanted = {row.plate.asset_id for row in rows}
    found = {str(board.facts.get("asset_id", "")): board for board in boards.values() if board.is_finished}
    return {asset: board for asset, board in found.items() if asset in wanted}


def serials(entries: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Every serial that was ever given, wiped boards included: serial -> (MAC, asset id) of the first board."""
    used: dict[str, tuple[str, str]] = {}
    for entry in entries:
        serial, mac = str(entry.get("serial") or ""), str(entry.get("mac") or "")
        if serial and mac:
            used.setdefault(serial, (mac, str(entry.get("asset_id") or "")))
    return used


def _bound(boards: Mapping[str, Board]) -> dict[str, str]:
    """MAC -> asset id of every board that has one and was not wiped since."""
    return {
        mac: str(board.facts["asset_id"])
        for mac, board in boards.items()
        if board.facts.get("asset_id") and board.event not in FORGOTTEN_BY
    }
