"""What a technician sees, and what a program reads."""

import io
import json

import pytest
from rich.console import Console

from provisioning.errors import Failure
from provisioning.screen import JsonScreen, RichScreen, Screen
from provisioning.screen_texts import STEPS, language_of


def play(screen: Screen) -> None:
    screen.step("detect", "started")
    screen.step("detect", "done", chip="esp32", mac="24:6f:28:00:00:01")
    screen.step("base", "started", 0, 1000)
    for place in range(1001):
        screen.step("base", "running", place, 1000)
    screen.step("base", "done", 1000, 1000)
    screen.step("label", "skipped")


def shown(language: str, *, terminal: bool = False, fail: bool = False) -> str:
    out = io.StringIO()
    ticks = iter(range(10_000))
    console = Console(file=out, width=100, force_terminal=terminal, color_system=None)
    screen = RichScreen(console, language, lambda: next(ticks) / 10)
    play(screen)
    if fail:
        screen.failed("boot", Failure("no_boot", "no prompt within 10 s"))
    else:
        screen.step("run", "done", endpoint="urn:dev:mac:246f28fffe000001", asset_id="Q1-0001")
    screen.close()
    return out.getvalue()


def test_json_lines_tell_step_state_bytes_and_percent() -> None:
    out = io.StringIO()
    screen = JsonScreen(out)
    play(screen)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[1]["mac"] == "24:6f:28:00:00:01"
    running = [line for line in lines if line["state"] == "running"]
    assert 99 <= len(running) <= 101, "one a percent, not one a kilobyte"
    assert all(set(line) == {"step", "state", "bytes", "total", "percent"} for line in running)
    percents = [line["percent"] for line in running]
    assert percents == sorted(percents)
    assert {"step": "base", "state": "done", "bytes": 1000, "total": 1000, "percent": 100.0} in lines


def test_a_failure_in_json_has_code_status_and_advice_in_the_chosen_language() -> None:
    out = io.StringIO()
    JsonScreen(out, "vi").failed("boot", Failure("no_boot", "no prompt"))
    line = json.loads(out.getvalue())
    assert (line["step"], line["state"], line["code"], line["exit_status"]) == ("boot", "failed", "no_boot", 32)
    assert line["advice"].startswith("Bo mạch không khởi động")


def test_a_person_sees_one_line_a_step_and_a_plain_verdict() -> None:
    text = shown("en")
    assert "✓ Write the base image" in text and "- Label" in text and "not needed" in text
    assert "GOOD: this lamp may be mounted." in text and "urn:dev:mac:246f28fffe000001" in text
    assert len(text.splitlines()) == 7


def test_a_failure_says_not_good_the_code_and_what_to_do() -> None:
    text = shown("vi", fail=True)
    assert "✗ Khởi động bo mạch" in text and "CHƯA ĐẠT" in text
    assert "mã lỗi: no_boot (no prompt within 10 s)" in text and "bấm EN (reset)" in text


def test_a_terminal_gets_bars() -> None:
    assert "1.0/1.0 kB" in shown("en", terminal=True)


@pytest.mark.parametrize(
    ("given", "environment", "language"),
    [
        ("vi", {}, "vi"),
        ("en", {"LANG": "vi_VN.UTF-8"}, "en"),
        (None, {"LANG": "vi_VN.UTF-8"}, "vi"),
        (None, {"LC_ALL": "C", "LANG": "vi_VN.UTF-8"}, "en"),
        (None, {}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_locale(
    given: str | None, environment: dict[str, str], language: str
) -> None:
    assert language_of(given, environment) == language


def test_every_step_has_a_title_in_both_languages() -> None:
    assert all(en and vi and en != vi for en, vi in STEPS.values())
