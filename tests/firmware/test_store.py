"""Records survive everything that a lamp's flash goes through."""

import binascii
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import store as module
from firmware.errors import StorageError
from firmware.store import DATA_AT, Store, head_of, inspect
from tests.firmware.flash import Flash, PowerCut, cuts

OLD = b"the schedule of last week"
NEW = b"the schedule of tonight, a little longer"


def prepared(*values: bytes) -> Flash:
    flash = Flash()
    store = Store("", files=flash)
    for value in values:
        store.save("program", value)
    flash.steps = 0
    return flash


def slot_of(sequence: int, data: bytes) -> bytes:
    return head_of(sequence, [data]) + data


def steps_of(flash: Flash, act) -> int:
    copy = Flash()
    copy.files = dict(flash.files)
    act(Store("", files=copy))
    return copy.steps


def test_what_was_saved_is_loaded_by_another_store() -> None:
    flash = prepared(OLD, NEW)
    assert Store("", files=flash).load("program") == NEW


def test_what_was_never_saved_is_none_and_no_fault() -> None:
    store = Store("", files=Flash())
    assert store.load("program") is None
    assert (store.recovered, store.lost, store.is_healthy()) == (0, 0, True)


def test_the_layout_of_a_slot_is_the_documented_one() -> None:
    content = head_of(7, [b"da", b"ta"]) + b"data"
    head = b"SLR\x01" + struct.pack(">II", 7, 4)
    assert content == head + struct.pack(">I", binascii.crc32(head + b"data")) + b"data"


@pytest.mark.parametrize("history", [(), (OLD,), (b"older", OLD), (b"oldest", b"older", OLD)])
@pytest.mark.parametrize("both", [False, True])
def test_a_save_cut_at_any_step_leaves_the_old_or_the_new_record_whole(history: tuple[bytes, ...], both: bool) -> None:
    steps = steps_of(prepared(*history), lambda store: store.save("program", NEW, both))
    before = history[-1] if history else None
    for budget in cuts(steps):
        flash = prepared(*history)
        flash.budget = budget
        with pytest.raises(PowerCut):
            Store("", files=flash).save("program", NEW, both)
        flash.budget = None
        after = Store("", files=flash)
        assert after.load("program") in (before, NEW), budget
        assert after.lost == 0, budget
        after.save("program", b"next")
        again = Store("", files=flash)
        assert again.load("program") == b"next", budget


def test_every_save_in_a_row_of_cuts_recovers_the_last_whole_record() -> None:
    flash = Flash()
    held = None
    for number in range(300):
        value = b"value %d" % number
        flash.steps, flash.budget = 0, (number * 7) % 50
        try:
            Store("", files=flash).save("meter", value)
            held = value
        except PowerCut:
            flash.budget = None
            found = Store("", files=flash).load("meter")
            assert found in (held, value)
            held = found
        flash.budget = None
        assert Store("", files=flash).load("meter") == held


@pytest.mark.parametrize("history", [(OLD,), (b"older", OLD), (b"oldest", b"older", OLD)])
def test_a_delete_cut_at_any_step_never_brings_an_older_record_back(history: tuple[bytes, ...]) -> None:
    steps = steps_of(prepared(*history), lambda store: store.delete("program"))
    for budget in cuts(steps):
        flash = prepared(*history)
        flash.budget = budget
        with pytest.raises(PowerCut):
            Store("", files=flash).delete("program")
        flash.budget = None
        assert Store("", files=flash).load("program") in (history[-1], None), budget
    flash = prepared(*history)
    Store("", files=flash).delete("program")
    assert flash.files == {}


def test_a_flipped_bit_anywhere_in_one_slot_gives_the_other_slot() -> None:
    flash = prepared(b"older", OLD)
    newest = next(name for name, content in flash.files.items() if content.endswith(OLD))
    for index in range(len(flash.files[newest])):
        flash.rot(newest, index, index % 8)
        store = Store("", files=flash)
        assert store.load("program") == b"older"
        assert (store.recovered, store.lost) == (1, 0)
        flash.rot(newest, index, index % 8)


def test_with_both_slots_refreshed_one_rotten_slot_brings_nothing_older_back() -> None:
    for name in ("sequence.a", "sequence.b"):
        flash = Flash()
        store = Store("", files=flash)
        for value in (b"256", b"512", b"768"):
            store.save("sequence", value, both=True)
        flash.rot(name, -1)
        assert Store("", files=flash).load("sequence") == b"768"


def test_two_broken_slots_are_a_loss_that_is_counted() -> None:
    flash = prepared(OLD, NEW)
    flash.rot("program.a", 3)
    flash.rot("program.b", 3)
    store = Store("", files=flash)
    assert store.load("program") is None
    assert (store.lost, store.is_healthy()) == (1, False)


def test_a_broken_slot_is_healed_by_the_next_save_even_of_the_same_data() -> None:
    flash = prepared(OLD)
    flash.rot("program.a", 20)
    Store("", files=flash).save("program", OLD)
    store = Store("", files=flash)
    assert store.load("program") == OLD
    assert store.recovered == 0


def test_the_same_data_is_not_written_again() -> None:
    flash = prepared(OLD)
    Store("", files=flash).save("program", OLD)
    assert flash.steps == 0


def test_every_byte_that_flash_was_given_is_counted() -> None:
    given: list[int] = []

    class Counted(Flash):
        def write(self, name: str, parts: list[bytes]) -> None:
            given.append(sum(len(part) for part in parts))
            super().write(name, parts)

    flash = Counted()
    store = Store("", files=flash)
    assert store.written == 0
    store.save("program", OLD)
    assert store.written == sum(given) == 2 * (DATA_AT + len(OLD)), "the first save fills both slots"
    store.save("program", [NEW[:7], NEW[7:]])
    store.save("numbers", OLD, both=True)
    assert (store.written, len(given)) == (sum(given), 5)
    store.save("numbers", OLD)
    store.load("program")
    store.delete("program")
    assert (store.written, len(given)) == (sum(given), 5), "neither the same again, nor a look, nor a removal"
    flash.deaf = True
    with pytest.raises(StorageError):
        store.save("program", NEW)
    flash.refuse = True
    with pytest.raises(StorageError):
        store.save("program", NEW)
    assert (store.written, len(given)) == (sum(given), 7), "what flash did not keep has worn it all the same"
    assert Store("", files=flash).written == 0, "since start-up"


def test_the_sequence_number_may_wrap() -> None:
    flash = Flash()
    flash.files = {"program.a": slot_of(0xFFFFFFFF, OLD), "program.b": slot_of(0, NEW)}
    store = Store("", files=flash)
    assert store.load("program") == NEW
    flash.files = {"program.a": slot_of(0xFFFFFFFE, b"older"), "program.b": slot_of(0xFFFFFFFF, OLD)}
    store.save("program", NEW)
    assert flash.files["program.a"] == slot_of(0, NEW)
    assert Store("", files=flash).load("program") == NEW


def test_a_full_flash_is_an_error_with_advice_and_the_old_record_stays() -> None:
    flash = prepared(OLD)
    store = Store("", files=flash)
    flash.refuse = True
    with pytest.raises(StorageError) as caught:
        store.save("program", NEW)
    assert "replace the controller" in caught.value.advice
    assert store.load("program") == OLD
    assert not store.is_healthy()
    with pytest.raises(StorageError, match="did not remove"):
        store.delete("program")


def test_flash_that_takes_a_write_and_keeps_nothing_is_noticed() -> None:
    flash = prepared(OLD)
    flash.deaf = True
    store = Store("", files=flash)
    with pytest.raises(StorageError, match="read back differently"):
        store.save("program", NEW)
    assert store.failures == 1


def test_unreadable_flash_is_a_loss_and_not_a_crash() -> None:
    flash = prepared(OLD)
    flash.unreadable = True
    store = Store("", files=flash)
    assert store.load("program") is None
    assert store.lost == 1
    with pytest.raises(StorageError):
        store.save("program", NEW)


def test_a_record_that_is_too_large_is_refused_before_anything_is_written() -> None:
    flash = prepared(OLD)
    with pytest.raises(StorageError, match="8192"):
        Store("", files=flash).save("program", bytes(module.MAX_RECORD_BYTES + 1))
    assert flash.steps == 0


@given(st.binary(max_size=64))
@settings(max_examples=150)
def test_no_bytes_in_a_slot_crash_a_load(content: bytes) -> None:
    flash = prepared(OLD)
    flash.files["program.a"] = content
    assert Store("", files=flash).load("program") == OLD


def test_real_files_are_written_synced_read_and_removed(tmp_path: Path) -> None:
    synced: list[int] = []
    directory = str(tmp_path / "flash")
    store = Store(directory, lambda: synced.append(1))
    store.save("settings", OLD)
    assert len(synced) == 2
    store.save("settings", NEW)
    assert len(synced) == 3
    assert Store(directory).load("settings") == NEW
    assert sorted(path.name for path in Path(directory).iterdir()) == ["settings.a", "settings.b"]
    store.delete("settings")
    store.delete("settings")
    assert list(Path(directory).iterdir()) == []


def test_a_folder_that_cannot_be_used_says_so_at_the_first_write(tmp_path: Path) -> None:
    blocked = tmp_path / "flash"
    blocked.write_text("a file, not a folder")
    store = Store(str(blocked))
    with pytest.raises(StorageError):
        store.save("settings", OLD)
    assert store.load("settings") is None
    with pytest.raises(StorageError):
        store.delete("settings")


@given(st.binary(max_size=600), st.integers(0, 0xFFFFFFFF), st.integers(16, 700))
@settings(max_examples=100)
def test_a_slot_is_checked_however_it_is_cut_into_pieces(data: bytes, sequence: int, size: int) -> None:
    content = slot_of(sequence, data)
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    assert inspect(pieces) == (sequence, len(data), int.from_bytes(content[12:16], "big"))
    assert inspect([*pieces, b"x"]) is None
    assert inspect(pieces[:-1]) is None or len(pieces) == 1
    assert inspect([]) is None


def test_a_file_that_grew_beyond_any_record_is_broken(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.save("long", OLD)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes() + bytes(20_000))
    assert store.load("long") is None
    assert store.lost == 1


def test_records_of_many_pieces_are_kept_and_compared(tmp_path: Path) -> None:
    synced: list[int] = []
    store = Store(str(tmp_path), lambda: synced.append(1))
    for number, data in enumerate((bytes(range(256)) * 8, bytes(2049), bytes(239), bytes(240), bytes(241), b"")):
        store.save("record", data)
        assert Store(str(tmp_path)).load("record") == data
        store.save("record", data)
        # The first save fills both slots; the same again is no write.
        assert len(synced) == number + 2


def test_reading_a_small_record_takes_a_small_piece_of_the_heap(tmp_path: Path) -> None:
    code = (
        f"import gc; from firmware.store import Store; s = Store({str(tmp_path)!r}); s.save('x', b'small');"
        "held = [bytearray(4096)];\n"
        "try:\n"
        "    while True: held.append(bytearray(4096))\n"
        "except MemoryError: pass\n"
        "held[0] = None; gc.collect(); print(s.load('x'))"
    )
    root = Path(module.__file__).parents[1]
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-X", "heapsize=64wK", "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "b'small'", done.stderr


@given(st.lists(st.binary(max_size=300), max_size=8), st.data())
@settings(max_examples=60)
def test_a_record_may_be_given_in_parts(parts: list[bytes], draw: st.DataObject) -> None:
    flash = Flash()
    store = Store("", files=flash)
    store.save("record", parts)
    whole = b"".join(parts)
    assert Store("", files=flash).load("record") == whole
    held = dict(flash.files)
    cut = draw.draw(st.integers(0, len(whole)))
    store.save("record", [whole[:cut], whole[cut:]])
    assert flash.files == held, "the same again, cut elsewhere, is no write"
    store.save("record", [*parts, b"x"])
    assert Store("", files=flash).load("record") == whole + b"x"


@given(st.binary(min_size=1, max_size=900), st.data())
@settings(max_examples=60)
def test_a_record_is_read_where_it_lies_as_bytes_are(data: bytes, draw: st.DataObject) -> None:
    flash = Flash()
    Store("", files=flash).save("record", data)
    view = Store("", files=flash).view("record")
    assert view is not None and len(view) == len(data)
    for _ in range(8):
        start = draw.draw(st.integers(0, len(data) - 1))
        stop = draw.draw(st.integers(start, len(data)))
        assert view[start:stop] == data[start:stop]
        assert view[start] == data[start]


def test_a_view_counts_what_is_broken_as_a_load_does() -> None:
    flash = prepared(OLD)
    for name in flash.files:
        flash.files[name] = b"rotten"
    store = Store("", files=flash)
    assert store.view("program") is None
    assert store.lost == 1
