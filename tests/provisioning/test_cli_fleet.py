"""The commands beside the single board, as a technician types them."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from provisioning import account, doctor, enrolment_http, ports, sealing
from provisioning.cli_fleet import fleet_commands
from provisioning.journal import Journal
from provisioning.ledger import Ledger
from provisioning.ports import Port
from tests.provisioning.fake_backend import TOKEN, FakeBackend
from tests.provisioning.test_enrolment_http import order

URL = "https://lights.example.org"
MAC = "24:6f:28:00:00:01"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STREETLIGHT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("STREETLIGHT_OPERATOR", "anna")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("STREETLIGHT_TOKEN", raising=False)
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    fake = FakeBackend()
    true_client = httpx.Client

    def client(**options: Any) -> httpx.Client:
        return true_client(**{**options, "transport": fake.transport()})

    monkeypatch.setattr(enrolment_http.httpx, "Client", client)
    return fake


def run(*words: str, code: int = 0, typed: str = "") -> Result:
    result = CliRunner().invoke(fleet_commands, list(words), input=typed)
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_login_keeps_keys_and_token_for_its_owner_only_and_prints_no_token(state: Path, backend: FakeBackend) -> None:
    result = run("login", "--backend", URL, "--name", "van 1", typed=TOKEN + "\n")
    assert TOKEN not in result.output
    known = account.load(state)
    assert (known.url, known.key, known.token) == (URL, backend.public, TOKEN)
    assert TOKEN not in repr(known)
    assert backend.stations == {sealing.open_station(state).public}
    for name in (account.FILE, account.TOKEN_FILE, sealing.FILE):
        assert (state / name).stat().st_mode & 0o077 == 0


def test_a_login_that_is_refused_keeps_nothing(state: Path, backend: FakeBackend) -> None:
    result = run("login", "--backend", URL, "--json", code=42, typed="hunter2\n")
    assert lines(result)[-1]["code"] == "token_refused" and "hunter2" not in result.output
    assert not (state / account.FILE).exists()


def test_sync_uploads_what_waits_and_again_says_the_same(state: Path, backend: FakeBackend) -> None:
    assert run("sync", code=49).stdout.startswith("code: not_logged_in")
    run("login", "--backend", URL, typed=TOKEN)
    assert run("sync").stdout == ""
    Ledger(state, sealing.open_station(state), backend.public, lambda: 0).enrol(order())
    first = lines(run("sync", "--json"))[0]
    assert (first["enrolled"], first["unchanged"], first["refused"]) == (1, 0, [])
    again = lines(run("sync", first["kept_at"], "--json"))[0]
    assert (again["enrolled"], again["unchanged"]) == (0, 1)
    events = [entry["event"] for entry in Journal(state, "", lambda: 0).entries()]
    assert events == ["synced", "synced"]


def test_a_refused_line_is_named(state: Path, backend: FakeBackend) -> None:
    run("login", "--backend", URL, typed=TOKEN)
    backend.lamps[order().endpoint] = {"keys": ["other"], "id": 1}
    Ledger(state, sealing.open_station(state), backend.public, lambda: 0).enrol(order())
    result = run("sync", code=47)
    assert f"2: {order().endpoint} conflict" in result.stdout


def test_a_manifest_with_errors_names_every_line_before_anything_happens(state: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("asset_id,latitude,longitude,time_zone\nA,1,1,UTC\nA,1,x,UTC\nB,99,1,UTC\n")
    told = lines(run("batch", str(path), "--json", code=50))[-1]
    assert [error["line"] for error in told["errors"]] == [3, 4]
    text = run("batch", str(path), "--language", "vi", code=50).stdout
    assert "mã lỗi: manifest_invalid" in text and "Danh sách có lỗi" in text
    assert not (state / "journal.jsonl").exists()


def test_a_batch_without_boards_ends_with_a_summary_and_says_what_is_left(state: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("asset_id,latitude,longitude,time_zone\nA,1,1,UTC\n")
    out = tmp_path / "summary.csv"
    run("batch", str(path), "--port", str(tmp_path / "none"), "--idle-s", "0", "--summary", str(out), code=51)
    assert b"A,,,,open" in out.read_bytes()


def test_labels_are_printed_again_for_finished_lamps_only(state: Path, tmp_path: Path) -> None:
    kept = Journal(state, "anna", lambda: 0)
    kept.append("drawn", mac=MAC, asset_id="Q1", endpoint="urn:dev:mac:246f28fffe000001")
    assert "not_provisioned" in run("label", "Q1", code=37).stdout
    kept.append("sealed", mac=MAC)
    run("label", "Q1", "--out", str(tmp_path / "l.pdf"))
    assert (tmp_path / "l.pdf").read_bytes().startswith(b"%PDF")


def test_the_journal_is_checked_and_printed(state: Path) -> None:
    kept = Journal(state, "anna", lambda: 0)
    kept.append("drawn", mac=MAC)
    kept.append("drawn", mac="24:6f:28:00:00:02")
    assert [line.get("mac") for line in lines(run("journal", "--json"))] == [MAC, "24:6f:28:00:00:02", None]
    assert len(lines(run("journal", "--mac", "246F28000001", "--json"))) == 2
    path = state / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"anna", b"mara", 1))
    assert "journal_broken" in run("journal", code=62).stdout
    run("journal", "--mac", "nonsense", code=2)


def test_ports_and_doctor_say_what_to_do(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "find_all", list)
    assert "no_board" in run("ports", code=10).stdout
    monkeypatch.setattr(ports, "find_all", lambda: [Port(os.devnull, "WCH CH340", 0x1A86, 0x7523)])
    assert "1a86:7523" in run("ports").stdout
    monkeypatch.setattr(doctor, "find_all", ports.find_all)
    monkeypatch.setattr(doctor, "usb_devices", list)
    found = {line["name"]: line for line in lines(run("doctor", "--json"))}
    assert found["journal"]["state"] == "good" and found["login"]["state"] == "hint"
    monkeypatch.setattr(doctor, "find_all", list)
    assert "cable" in run("doctor", code=1).stdout
