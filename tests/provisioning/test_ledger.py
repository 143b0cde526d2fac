"""An offline day: recorded, signed, readable by the backend only, uploaded any number of times."""

import json
import resource
from pathlib import Path

import pytest

from provisioning import ledger, sealing
from provisioning.enrolment_http import HttpBackend
from provisioning.errors import Failure
from provisioning.journal import Journal
from provisioning.ledger import DONE, FILE, Ledger
from provisioning.sync import Synced, sync
from tests.provisioning.fake_backend import TOKEN, FakeBackend
from tests.provisioning.test_enrolment_http import SECRET, order

NOW = 1_795_410_680_123


def opened(folder: Path, fake: FakeBackend) -> Ledger:
    station = sealing.open_station(folder)
    fake.stations.add(station.public)
    return Ledger(folder, station, fake.public, lambda: NOW)


def recorded(folder: Path, fake: FakeBackend, count: int = 3) -> Path:
    kept = opened(folder, fake)
    for number in range(count):
        assert kept.enrol(order(endpoint=f"urn:dev:mac:{number:016x}")).result == "recorded"
    return folder / FILE


def uploaded(folder: Path, fake: FakeBackend, *files: Path) -> list[Synced]:
    backend = HttpBackend("https://lights.example.org", TOKEN, transport=fake.transport(), pause=lambda _: None)
    return list(sync(folder, files, backend, Journal(folder, "anna", lambda: NOW)))


def test_the_file_has_the_agreed_form_and_no_key_in_it(tmp_path: Path) -> None:
    fake = FakeBackend()
    text = recorded(tmp_path, fake).read_text()
    head, *lines = [json.loads(line) for line in text.splitlines()]
    assert head == {"format": "streetlight-ledger-1", "station": head["station"], "backend": fake.public}
    assert all(set(line) == {"sealed", "made_at", "previous", "signature"} for line in lines) and len(lines) == 3
    assert SECRET.hex() not in text and "urn:dev" not in text
    assert ledger.check(tmp_path / FILE) == ledger.Checked(head["station"], fake.public, 3)


def test_uploading_any_number_of_times_has_one_result(tmp_path: Path) -> None:
    fake = FakeBackend()
    recorded(tmp_path, fake)
    (first,) = uploaded(tmp_path, fake)
    assert (first.enrolled, first.unchanged, first.refused) == (3, 0, ())
    assert first.kept_at.parent.name == DONE and not (tmp_path / FILE).exists()
    assert uploaded(tmp_path, fake) == [], "nothing waits"
    for _ in range(2):
        (again,) = uploaded(tmp_path, fake, first.kept_at)
        assert (again.enrolled, again.unchanged) == (0, 3)
    assert fake.enrolments_made == 3
    recorded(tmp_path, fake, 1)
    assert uploaded(tmp_path, fake)[0].unchanged == 1, "the next day begins a new file"


def test_an_upload_whose_answer_was_lost_is_repeated_without_harm(tmp_path: Path) -> None:
    fake = FakeBackend()
    recorded(tmp_path, fake)
    fake.troubles = ["late"]
    assert uploaded(tmp_path, fake)[0].unchanged == 3 and fake.enrolments_made == 3


def test_a_refused_line_keeps_the_ledger_where_it_is(tmp_path: Path) -> None:
    fake = FakeBackend()
    path = recorded(tmp_path, fake)
    fake.lamps["urn:dev:mac:0000000000000001"] = {"keys": ["other"], "id": 1}
    (result,) = uploaded(tmp_path, fake)
    assert [(answer.line, answer.endpoint) for answer in result.refused] == [(3, "urn:dev:mac:0000000000000001")]
    assert result.kept_at == path and path.exists()
    assert uploaded(tmp_path, fake)[0].refused == result.refused


def test_a_line_that_comes_during_the_upload_is_not_put_away(tmp_path: Path) -> None:
    fake = FakeBackend()
    path = recorded(tmp_path, fake, 1)
    before = ledger.whole_lines(path)
    recorded(tmp_path, fake, 1)
    assert ledger.put_away(path, before) is None and path.exists()


def test_any_change_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    fake = FakeBackend()
    path = recorded(tmp_path, fake, 2)
    good = path.read_bytes()
    for place in range(0, len(good), 29):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(Failure) as failed:
            uploaded(tmp_path, fake)
        assert failed.value.code == "ledger_damaged"
    lines = good.splitlines(keepends=True)
    for changed in (lines[:2], [lines[0], lines[2]], []):
        path.write_bytes(b"".join(changed))
        with pytest.raises(Failure):
            uploaded(tmp_path, fake)
    assert not fake.requests


def test_a_rewritten_ledger_without_the_key_is_found(tmp_path: Path) -> None:
    """Whoever rewrites the chain and its head still cannot sign."""
    fake = FakeBackend()
    path = recorded(tmp_path, fake, 1)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[1]["made_at"] = "2020-01-01T00:00:00.000Z"
    path.write_bytes(b"".join(ledger.canonical(line) + b"\n" for line in lines))
    path.with_name(path.name + ".head").unlink()
    with pytest.raises(Failure, match="not signed"):
        ledger.check(path)


def test_a_torn_line_was_never_an_enrolment(tmp_path: Path) -> None:
    fake = FakeBackend()
    path = recorded(tmp_path, fake, 2)
    path.write_bytes(path.read_bytes() + b'{"made_at":"20')
    recorded(tmp_path, fake, 1)
    assert ledger.check(path).lines == 3
    path.write_bytes(path.read_bytes() + b'{"made_at":"20')
    assert uploaded(tmp_path, fake)[0].enrolled == 2


def test_a_ledger_for_another_backend_takes_no_line(tmp_path: Path) -> None:
    recorded(tmp_path, FakeBackend())
    with pytest.raises(Failure) as failed:
        recorded(tmp_path, FakeBackend())
    assert failed.value.code == "ledger_damaged" and "upload it first" in failed.value.detail


def test_a_full_disk_records_nothing(tmp_path: Path) -> None:
    fake = FakeBackend()
    path = recorded(tmp_path, fake, 1)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(Failure) as failed:
            opened(tmp_path, fake).enrol(order())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.code == "disk_full" and path.read_bytes() == before


def test_the_signing_key_is_drawn_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first, again = sealing.open_station(tmp_path), sealing.open_station(tmp_path)
    path = tmp_path / sealing.FILE
    assert first.public == again.public and path.stat().st_mode & 0o077 == 0
    assert path.read_text() not in repr(first)
    path.chmod(0o644)
    with pytest.raises(Failure, match="may be read by others"):
        sealing.open_station(tmp_path)
    path.chmod(0o600)
    path.write_text("nonsense")
    with pytest.raises(Failure, match="is not a key"):
        sealing.open_station(tmp_path)
