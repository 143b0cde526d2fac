"""A board becomes a lamp, whatever happens on the way: each answer, each failure, the plug pulled at every step."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from provisioning import identity, procedure
from provisioning.base_image import Segment
from provisioning.errors import Failure
from provisioning.firmware_files import Firmware
from provisioning.journal import Journal
from tests.provisioning import bases
from tests.provisioning.bench import FIRMWARE, MAC, PLATE, REST, Bench, Board

ENDPOINT = "urn:dev:mac:240ac4fffe00beef"
ALL_STEPS = [
    "detect", "read", "firmware", "erase", "base", "files", "identity", "verify", "boot", "verify", "self_test",
    "enrol", "seal", "label", "boot",
]  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def is_a_lamp(bench: Bench) -> bool:
    """Sealed, with exactly the keys that are in force, and the journal knows."""
    drawn = bench.board.identity()
    assert drawn is not None
    assert bench.city.keys == {ENDPOINT: (drawn.sender_id, bytes(drawn.secret), bytes(drawn.salt))}
    assert bench.board.files() == FIRMWARE.files
    known = bench.journal.board("24:0a:c4:00:be:ef")
    assert known is not None
    assert known.events[-1] == "labelled" or known.facts["code"] == "already_sealed"
    assert known.facts["sender_id"] == drawn.sender_id.hex()
    bench.journal.check()
    return bench.board.is_sealed


def test_a_blank_board_becomes_a_lamp(bench: Bench) -> None:
    done = bench.run()
    assert is_a_lamp(bench)
    assert (done.endpoint, done.asset_id, done.serial, done.result) == (ENDPOINT, "LAMP-7", "SN-7", "enrolled")
    assert bench.shown.steps == ALL_STEPS
    assert bench.labels == [(ENDPOINT, "LAMP-7", "SN-7")]
    assert bench.city.facts["latitude"] == 10.7626
    assert bench.board.restarts == 1
    drawn = bench.board.identity()
    assert drawn is not None
    assert drawn.rest == {**REST, "serial": "SN-7"}


def count_of_operations(tmp_path: Path) -> int:
    bench = Bench(tmp_path)
    bench.run()
    return bench.board.cable.count


def test_pulled_at_every_operation_the_next_run_finishes_and_no_key_is_enrolled_twice(tmp_path: Path) -> None:
    total = count_of_operations(tmp_path / "count")
    assert total >= 20
    kept = 0
    for cut in range(total - 1):  # the last one starts the finished lamp
        bench = Bench(tmp_path / str(cut))
        bench.board.cable.cut_after = cut
        assert bench.fails().code == "unplugged", cut
        bench.board.cable.plug()
        done = bench.run()
        assert is_a_lamp(bench), cut
        assert len(bench.city.taken) == 1, cut
        kept += done.kept
    assert kept >= 8


def test_pulled_twice_and_again_it_still_finishes_with_one_key_in_force(tmp_path: Path) -> None:
    total = count_of_operations(tmp_path / "count")
    for cut in range(total):
        bench = Bench(tmp_path / str(cut))
        for again in (cut, (cut * 7) % total, (cut * 3) % total):
            bench.board.cable.plug()
            bench.board.cable.cut_after = again
            try:
                bench.run()
            except Failure as failure:
                assert failure.code in ("unplugged", "already_sealed"), cut
        bench.board.cable.plug()
        try:
            bench.run()
        except Failure as failure:
            assert failure.code == "already_sealed"
        assert is_a_lamp(bench), cut
        assert len(bench.city.taken) == 1, cut


def test_a_second_run_on_an_unfinished_board_writes_neither_identity_nor_base_again(bench: Bench) -> None:
    bench.city.refuses = Failure("backend_down", "no route")
    assert bench.fails().code == "backend_down"
    before = bytes(bench.board.flash[0x9000:0xF000])
    written: list[str] = []
    write = bench.board.write

    def watched(segments: tuple[Segment, ...], progress: Any = None) -> None:
        written.extend(part.name for part in segments)
        write(segments, progress)

    bench.board.write = watched  # type: ignore[method-assign]
    bench.board._seal = lambda: None  # type: ignore[method-assign]
    bench.city.refuses = None
    assert bench.run().kept
    assert bytes(bench.board.flash[0x9000:0xF000]) == before
    assert set(written) == {"files"}


def test_an_answer_that_is_lost_enrols_once(bench: Bench) -> None:
    bench.city.loses = 1
    assert bench.fails().code == "backend_slow"
    assert not bench.board.is_sealed
    done = bench.run()
    assert (done.result, done.kept) == ("unchanged", True)
    assert len(bench.city.taken) == 1


def test_keys_that_were_enrolled_and_lost_with_the_chips_nvs_give_way_to_new_ones(bench: Bench) -> None:
    bench.city.loses = 1
    bench.fails()
    bench.board.flash[0x9000:0xF000] = b"\xff" * 0x6000
    done = bench.run()
    assert not done.kept
    assert is_a_lamp(bench)
    assert len({keys[0] for keys in bench.city.taken}) == 2


def test_new_settings_on_an_unfinished_board_keep_its_keys(bench: Bench) -> None:
    bench.city.refuses = Failure("backend_down", "no route")
    bench.fails()
    before = bench.board.identity()
    assert before is not None
    bench.city.refuses = None
    bench.request = dataclasses.replace(bench.request, rest={**REST, "wifi_ssid": "street"} | {"server_host": "other"})
    assert bench.run().kept
    after = bench.board.identity()
    assert after is not None
    assert (after.sender_id, after.secret) == (before.sender_id, before.secret)
    assert after.rest["server_host"] == "other"


def test_a_finished_lamp_is_refused_and_untouched(bench: Bench) -> None:
    bench.run()
    before = bytes(bench.board.flash)
    failure = bench.fails()
    assert failure.code == "already_sealed"
    assert ENDPOINT in failure.detail
    assert bytes(bench.board.flash) == before


def test_replace_backs_the_old_identity_up_and_takes_its_place(bench: Bench) -> None:
    bench.run()
    before = bench.board.identity()
    assert before is not None
    document = before.document()
    bench.request = dataclasses.replace(bench.request, replace=True)
    bench.run()
    assert bench.backups == [document]
    assert is_a_lamp(bench)
    assert len(bench.city.taken) == 2
    after = bench.board.identity()
    assert after is not None
    assert after.sender_id != before.sender_id


def test_replace_without_a_place_for_the_backup_leaves_the_lamp_as_it_was(bench: Bench) -> None:
    bench.run()
    before = bytes(bench.board.flash)
    bench.request = dataclasses.replace(bench.request, replace=True)

    def backup(mac: bytes, document: bytes) -> str:
        raise Failure("not_logged_in", "no key")

    bench._backup = backup  # type: ignore[method-assign]
    assert bench.fails().code == "not_logged_in"
    assert bytes(bench.board.flash) == before


def test_two_technicians_with_one_board(bench: Bench, tmp_path: Path) -> None:
    """The first is unplugged before the seal; the second has another computer."""
    bench.city.refuses = Failure("backend_down", "no route")
    bench.fails()
    bench.city.refuses = None
    before = bytes(bench.board.flash)
    other = Bench(tmp_path / "other", bench.board)
    other.city = bench.city
    assert other.fails().code == "mac_known"
    assert bytes(bench.board.flash) == before
    other.request = dataclasses.replace(other.request, replace=True)
    other.run()
    assert is_a_lamp(other)
    assert bench.fails().code == "already_sealed"


def test_a_chip_that_was_sealed_here_and_comes_back_empty_needs_a_word(bench: Bench) -> None:
    bench.run()
    bench.board.flash[0x9000:0xF000] = b"\xff" * 0x6000
    assert bench.fails().code == "mac_known"
    bench.request = dataclasses.replace(bench.request, replace=True)
    bench.run()
    assert is_a_lamp(bench)


def test_an_identity_that_was_planted_is_not_taken_for_ours(bench: Bench) -> None:
    bench.run()
    planted = identity.draw(MAC, {**REST, "serial": "SN-7"})
    bench.board.put({identity.NVS_IDENTITY: planted.document()})
    assert bench.fails().code == "mac_known"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"chip": "esp32c3"}, "wrong_chip"),
        ({"chip": "esp8266"}, "wrong_chip"),
        ({"base": bases.made(5, 0)}, "base_unknown"),
        ({"base": bases.made()[:-1]}, "base_unknown"),
        ({"base_sha256": "0" * 64}, "base_damaged"),
        ({"rest": {**REST, "wifi_password": "short"}}, "identity_invalid"),
        ({"rest": {**REST, "server_host": "two words"}}, "identity_invalid"),
    ],
)
def test_what_is_wrong_is_found_before_the_board_is_touched(bench: Bench, change: dict[str, Any], code: str) -> None:
    before = bytes(bench.board.flash)
    bench.request = dataclasses.replace(bench.request, **change)
    assert bench.fails().code == code
    assert bytes(bench.board.flash) == before


def test_an_image_for_another_chip_a_small_flash_and_a_locked_chip_are_refused(tmp_path: Path) -> None:
    for number, (board, code) in enumerate(
        [
            (Board("esp32c3"), "base_wrong_chip"),
            (Board(flash_bytes=2 * 1024 * 1024), "wrong_flash_size"),
            (Board(), "secured"),
        ]
    ):
        if code == "secured":
            board.found = dataclasses.replace(board.found, locks=("secure boot",))
        bench = Bench(tmp_path / str(number), board)
        before = bytes(board.flash)
        assert bench.fails().code == code
        assert bytes(board.flash) == before


def test_a_plate_for_another_board_is_refused(bench: Bench) -> None:
    bench.plate = dataclasses.replace(PLATE, mac="24:0a:c4:00:00:01")
    assert bench.fails().code == "mac_known"


def test_flash_that_rots_is_found_by_the_chips_own_digest(bench: Bench) -> None:
    bench.board.rots = True
    assert bench.fails().code == "verify_failed"
    assert bench.city.taken == []


@pytest.mark.parametrize(
    ("tells", "code", "named"),
    [
        ({"free": 20_000}, "memory_low", "memory"),
        ({"import": "MemoryError"}, "memory_low", "memory"),
        ({"mac": "000000000000"}, "self_test_failed", "mac"),
        ({"who": ["urn:other", "00"]}, "self_test_failed", "identity"),
        ({"air": [["next door", -50]]}, "self_test_failed", "air"),
        ({"air": [["street", -91]]}, "self_test_failed", "air"),
        ({"flash": [-1, 0]}, "self_test_failed", "flash"),
        ({"flash": [9000, 1_500_000]}, "self_test_failed", "flash"),
        ({"board_error": "OSError: 19"}, "self_test_failed", "sweep"),
    ],
)
def test_a_board_that_fails_its_test_is_not_enrolled(
    bench: Bench, tells: dict[str, Any], code: str, named: str
) -> None:
    bench.board.tells = tells
    failure = bench.fails()
    assert failure.code == code
    assert named in failure.detail
    assert bench.city.taken == []
    assert not bench.board.is_sealed
    bench.board.tells = {}
    assert bench.run().kept


def test_a_micropython_that_cannot_run_the_byte_code_is_told(bench: Bench) -> None:
    bench.board.mpy = 5
    assert bench.fails().code == "base_too_old"


def test_firmware_beyond_the_file_system_is_refused_before_anything_is_erased(bench: Bench) -> None:
    bench.board.flash[:4] = b"mark"
    big = Firmware({"main.py": bytes(3_000_000)}, None, 6)
    tools = dataclasses.replace(bench.tools(), load_firmware=lambda chip, rom: big)
    bench.tools = lambda: tools  # type: ignore[method-assign]
    assert bench.fails().code == "firmware_too_big"
    assert bench.board.flash[:4] == b"mark"


def test_a_base_with_a_romfs_partition_gets_the_image_there(tmp_path: Path) -> None:
    rows = (*bases.STOCK[:3], ("romfs", 1, 0x8F, 0x190000, 0x40000), bases.STOCK[3])
    bench = Bench(tmp_path)
    bench.request = dataclasses.replace(bench.request, base=bases.made(rows=rows), base_sha256=None)
    bench.request = dataclasses.replace(bench.request, known_bases={bases_sha(rows): "made"})
    rom = Firmware({"main.py": b"print()"}, b"\xd2\xcd\x31" + bytes(range(200)), 6)
    tools = dataclasses.replace(bench.tools(), load_firmware=lambda chip, with_romfs: rom if with_romfs else FIRMWARE)
    bench.tools = lambda: tools  # type: ignore[method-assign]
    bench.run()
    assert rom.rom is not None
    assert bytes(bench.board.flash[0x190000 : 0x190000 + len(rom.rom)]) == rom.rom
    assert bench.board.files() == rom.files


def bases_sha(rows: Any) -> str:
    import hashlib

    return hashlib.sha256(bases.made(rows=rows)).hexdigest()


def test_a_disk_that_is_full_ends_the_run_and_the_next_one_finishes(bench: Bench) -> None:
    append = Journal.append

    def full(event: str, **facts: Any) -> Any:
        if event == "ordered":
            raise Failure("disk_full", "journal.jsonl")
        return append(bench.journal, event, **facts)

    bench.journal.append = full  # type: ignore[method-assign]
    assert bench.fails().code == "disk_full"
    assert bench.city.taken == []
    bench.journal = Journal(bench.journal.chain.path.parent, "tester", lambda: 1_795_000_000_000)
    assert bench.run().kept
    assert is_a_lamp(bench)


def test_failures_are_in_the_journal_with_their_code(bench: Bench) -> None:
    bench.city.refuses = Failure("token_refused", "401")
    bench.fails()
    known = bench.journal.board("24:0a:c4:00:be:ef")
    assert known is not None
    assert (known.event, known.facts["code"]) == ("failed", "token_refused")


def test_no_secret_is_in_journal_screen_label_or_any_repr(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    steps = procedure.provision(bench.request)
    seen = [repr(bench.request)]

    def watched() -> Any:
        answer = None
        step = next(steps)
        while True:
            seen.append(repr(step))
            try:
                answer = yield step
            except Failure as failure:
                step = steps.throw(failure)
            else:
                try:
                    step = steps.send(answer)
                except StopIteration as end:
                    seen.append(repr(end.value))
                    return end.value

    bench.run(watched())
    drawn = bench.board.identity()
    assert drawn is not None
    told = "".join(seen) + json.dumps(list(bench.journal.entries())) + repr(bench.labels) + "".join(capsys.readouterr())
    for secret in (drawn.secret.hex(), drawn.salt.hex(), repr(bytes(drawn.secret)), REST["wifi_password"]):
        assert str(secret) not in told
    assert all(not any(order.secret) and not any(order.salt) for order in bench.city.orders)
