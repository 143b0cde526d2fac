"""Codes are stable, each has advice in both languages, and every `Failure` in the tool names one."""

import ast
import pickle
import re
from pathlib import Path

import pytest

from provisioning import codes, errors
from provisioning.errors import Failure, Refusals, of_file

TOOL = Path(codes.__file__).parent
# name: exit status, as they were first given. Add rows; never change or reuse one.
GIVEN = {
    "tool_failed": 3,
    "no_board": 10,
    "several_boards": 11,
    "port_busy": 12,
    "port_denied": 13,
    "no_sync": 14,
    "wrong_chip": 15,
    "already_sealed": 16,
    "secured": 17,
    "wrong_flash_size": 18,
    "unplugged": 19,
    "base_unknown": 20,
    "base_damaged": 21,
    "base_wrong_chip": 22,
    "base_overlaps": 23,
    "firmware_too_big": 24,
    "tool_missing": 25,
    "write_failed": 30,
    "verify_failed": 31,
    "no_boot": 32,
    "firmware_mismatch": 33,
    "self_test_failed": 34,
    "memory_low": 35,
    "identity_invalid": 36,
    "not_provisioned": 37,
    "backend_down": 40,
    "backend_slow": 41,
    "token_refused": 42,
    "token_scope": 43,
    "lamp_known": 44,
    "mac_known": 45,
    "serial_used": 46,
    "enrolment_refused": 47,
    "backend_failed": 48,
    "not_logged_in": 49,
    "manifest_invalid": 50,
    "batch_incomplete": 51,
    "backend_open": 59,
    "disk_full": 60,
    "ledger_damaged": 61,
    "journal_broken": 62,
    "folder_denied": 63,
    "record_busy": 64,
    "secure_refused": 70,
    "secure_failed": 71,
    "interrupted": 130,
}


def test_no_code_has_changed_its_exit_status_or_gone() -> None:
    assert {name: codes.ALL[name].exit_status for name in GIVEN} == GIVEN


def test_every_exit_status_is_of_one_code_and_free_for_it() -> None:
    statuses = [code.exit_status for code in codes.ALL.values()]
    assert len(statuses) == len(set(statuses))
    assert all(3 <= status <= 125 or status == 130 for status in statuses), "the shell owns the others"


@pytest.mark.parametrize("code", codes.ALL.values(), ids=lambda code: code.name)
def test_each_code_says_what_to_do_in_both_languages(code: codes.Code) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code.name)
    for text in (code.en, code.vi):
        assert text.endswith(".") and text.count(".") + text.count(":") >= 2, "what is so, then what to do"
        assert len(text) <= 140
    assert re.search(r"[ạảãàáâậầấẩẫăắằặẳẵóòọõỏôộổỗồốơờớợởỡéèẻẹẽêếềệểễúùụủũưựữửừứíìịỉĩýỳỷỵỹđ]", code.vi), "Vietnamese"
    commands = re.findall(r"`[^`]+`|--[a-z0-9-]+", code.en)
    assert all(command in code.vi for command in commands), "the same commands in both"


def test_a_failure_carries_code_status_and_advice() -> None:
    failure = Failure("port_busy", "/dev/ttyUSB0")
    assert (failure.code, failure.exit_status, str(failure)) == ("port_busy", 12, "port_busy: /dev/ttyUSB0")
    assert failure.advice("vi") == codes.ALL["port_busy"].vi
    assert failure.advice("fr") == failure.advice("en") == failure.advice()
    again = pickle.loads(pickle.dumps(failure))
    assert (again.code, again.detail) == ("port_busy", "/dev/ttyUSB0")


def test_a_name_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Failure("no_bord")


def test_refusals_name_the_first_lines_and_keep_all() -> None:
    refusals = Refusals("manifest_invalid", [(number, "no asset id") for number in range(2, 9)])
    assert refusals.detail == "line 2: no asset id; line 3: no asset id; line 4: no asset id; and 4 more"
    assert pickle.loads(pickle.dumps(refusals)).lines == refusals.lines


def test_a_full_disk_is_told_from_a_folder_without_rights() -> None:
    assert of_file(OSError(28, "No space left on device"), Path("x")).code == "disk_full"
    assert of_file(PermissionError(13, "Permission denied"), Path("x")).detail == "x: Permission denied"


def test_every_failure_that_the_tool_raises_is_in_the_table() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Failure)}
    for path in TOOL.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value[:1].islower():
                    assert first.value in codes.ALL or " " in first.value, f"{path.name}:{node.lineno} {first.value}"
