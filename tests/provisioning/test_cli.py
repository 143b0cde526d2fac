"""The command line: bad values get one line of advice, known bad ends their exit status, in both kinds of screen."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streetlight import app
from tests.provisioning import bases

PLATE = ["--asset-id", "A", "--latitude", "10", "--longitude", "106", "--time-zone", "Asia/Ho_Chi_Minh"]


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STREETLIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("STREETLIGHT_WIFI_PASSWORD", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["provision", *words])


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ([], "--asset-id"),
        ([*PLATE[:2], "--latitude", "91", *PLATE[4:]], "--latitude: must be -90 to 90"),
        ([*PLATE, "--backend", "http://127.0.0.1:9"], "--base is missing"),
        ([*PLATE, "--backend", "http://127.0.0.1:9", "--base", "none.bin"], "none.bin cannot be read"),
        ([*PLATE, "--backend", "http://127.0.0.1:9", "--server-host", "two words"], "--server-host must be"),
        ([*PLATE, "--operator", "x" * 99], "--operator"),
    ],
)
def test_a_bad_value_gets_one_line_of_advice(words: list[str], advice: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert advice in done.output
    assert done.output.count("\n") == 1


def test_a_board_that_is_not_there_ends_with_its_code(tmp_path: Path) -> None:
    image = tmp_path / "base.bin"
    image.write_bytes(bases.made())
    import hashlib

    digest = hashlib.sha256(bases.made()).hexdigest()
    words = [*PLATE, "--port", str(tmp_path / "tty"), "--base", str(image), "--backend", "http://127.0.0.1:9"]
    done = run(*words, "--base-sha256", digest, "--json")
    assert done.exit_code == 10
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["state"], last["code"], last["exit_status"]) == ("failed", "no_board", 10)
    assert "cable" in last["advice"]
    done = run(*words, "--language", "vi")
    assert done.exit_code == 20
    assert "--base-sha256" in done.output


def test_nobody_logged_in_is_told_before_a_port_is_opened() -> None:
    assert run(*PLATE).exit_code == 49


def test_a_wipe_wants_a_word() -> None:
    done = run("wipe", "--port", "none")
    assert done.exit_code == 2
    assert "--yes" in done.output
