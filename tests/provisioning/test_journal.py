"""The journal: nothing is lost by a crash, nothing can be changed unseen, and it never holds a key."""

import json
import multiprocessing
import resource
from pathlib import Path

import pytest

from provisioning.errors import Failure
from provisioning.journal import FILE, Journal, iso

MAC = "24:6f:28:00:00:01"


def journal(folder: Path, operator: str = "anna") -> Journal:
    return Journal(folder, operator, lambda: 1_795_410_680_123)


def filled(folder: Path) -> Journal:
    kept = journal(folder)
    for event in ("drawn", "written", "passed", "enrolled", "sealed", "labelled"):
        kept.append(event, mac=MAC, asset_id="Q1-0001")
    return kept


def test_an_entry_says_when_who_and_what(tmp_path: Path) -> None:
    journal(tmp_path).append("drawn", mac=MAC, sender_id="0102")
    (entry,) = journal(tmp_path).entries()
    assert entry == {
        "at": "2026-11-23T05:11:20.123Z",
        "operator": "anna",
        "event": "drawn",
        "mac": MAC,
        "sender_id": "0102",
        "previous": "0" * 64,
    }
    assert iso(0) == "1970-01-01T00:00:00.000Z"


def test_the_last_known_state_of_a_board_gathers_its_facts(tmp_path: Path) -> None:
    kept = filled(tmp_path)
    board = kept.board(MAC)
    assert board and board.event == "labelled" and board.is_finished and board.facts == {"asset_id": "Q1-0001"}
    kept.append("failed", mac=MAC, code="no_boot")
    assert kept.board(MAC).is_finished  # type: ignore[union-attr]
    kept.append("wiped", mac=MAC)
    kept.append("drawn", mac=MAC, sender_id="09")
    board = kept.board(MAC)
    assert board and not board.is_finished and board.facts == {"sender_id": "09"}
    assert kept.board("24:6f:28:00:00:02") is None
    assert set(kept.boards()) == {MAC}


@pytest.mark.parametrize("name", ["master_secret", "master_salt", "wifi_password", "token"])
def test_a_secret_has_no_place_in_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        journal(tmp_path).append("drawn", **{name: "x"})
    assert not (tmp_path / FILE).exists()


def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / FILE
    good = path.read_bytes()
    for place in range(0, len(good), 3):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(Failure) as failed:
            journal(tmp_path).check()
        assert failed.value.code == "journal_broken"
    path.write_bytes(good)
    assert journal(tmp_path).check().count == 6


@pytest.mark.parametrize("change", ["a line taken out", "the last line cut off", "two lines swapped", "emptied"])
def test_lines_that_go_or_move_are_found(tmp_path: Path, change: str) -> None:
    filled(tmp_path)
    path = tmp_path / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "a line taken out": lines[:2] + lines[3:],
        "the last line cut off": lines[:-1],
        "two lines swapped": [lines[1], lines[0], *lines[2:]],
        "emptied": [],
    }[change]
    path.write_bytes(b"".join(changed))
    with pytest.raises(Failure):
        journal(tmp_path).check()
    with pytest.raises(Failure):
        list(journal(tmp_path).entries())
    if change in ("the last line cut off", "emptied"):
        with pytest.raises(Failure):
            journal(tmp_path).append("sealed", mac=MAC)


def test_a_torn_last_line_is_cut_off_and_noted(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes() + b'{"at":"2026-11-23T05:11')
    assert journal(tmp_path).check().count == 6
    journal(tmp_path, "binh").append("labelled", mac=MAC)
    entries = list(journal(tmp_path).entries())
    assert [entry["event"] for entry in entries[-2:]] == ["torn", "labelled"]
    assert entries[-2]["text"] == '{"at":"2026-11-23T05:11' and entries[-2]["operator"] == "binh"
    assert journal(tmp_path).check().count == 8


def test_a_crash_between_a_line_and_the_note_of_its_head_is_no_damage(tmp_path: Path) -> None:
    kept = filled(tmp_path)
    head = tmp_path / f"{FILE}.head"
    old = head.read_bytes()
    kept.append("labelled", mac=MAC)
    head.write_bytes(old)
    assert kept.check().count == 7
    kept.append("secured", mac=MAC)
    assert kept.check().count == 8 and head.read_bytes().startswith(b"8 ")


def _write_many(folder: str, operator: str, count: int) -> None:
    for number in range(count):
        journal(Path(folder), operator).append("written", mac=MAC, number=number)


def test_two_processes_append_safely(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path), name, 40)) for name in ("anna", "binh")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    entries = list(journal(tmp_path).entries())
    for name in ("anna", "binh"):
        assert [entry["number"] for entry in entries if entry["operator"] == name] == list(range(40))


def test_a_full_disk_is_told_and_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    kept = filled(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes() + b'{"torn')
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 60, hard))
    try:
        with pytest.raises(Failure) as failed:
            kept.append("labelled", mac=MAC, asset_id="Q1-0001")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.code == "disk_full" and str(path) in failed.value.detail
    assert path.read_bytes() == before
    assert kept.check().count == 6


def test_a_folder_without_rights_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failed:
        journal(tmp_path / "gone").append("drawn", mac=MAC)
    assert failed.value.code == "folder_denied"


def test_ten_thousand_boards_are_read_within_a_few_seconds(tmp_path: Path) -> None:
    kept = journal(tmp_path)

    def lines(head, torn):  # type: ignore[no-untyped-def]
        made: list[bytes] = []
        for number in range(10_000):
            head = kept._add(made, head, "sealed", {"mac": f"24:6f:28:00:{number >> 8:02x}:{number & 255:02x}"})
        return made

    kept.chain.append(lines)
    assert len(kept.boards()) == 10_000
    assert json.loads((tmp_path / FILE).read_bytes().splitlines()[-1])["event"] == "sealed"
