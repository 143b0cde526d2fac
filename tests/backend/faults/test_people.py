"""What people do with faults: filter, count, assign, take notes, export; on both databases."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.device_server.ports import Report
from backend.faults import ingest
from backend.kit import comma_rows
from contract import faults as catalogue
from contract.senml import Record

NOW_MS = 1_795_334_400_000
AddLamp = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def street(app: FastAPI, add_lamp: AddLamp) -> list[dict[str, Any]]:
    """Two lamps of two feeders, with a fault each, one minute apart, and a second one at the first."""
    found = [
        await add_lamp("urn:dev:mac:01", feeder="F1", cabinet="C1", name="=HYPERLINK(1)"),
        await add_lamp("urn:dev:mac:02", feeder="F2", cabinet="C1", name='Đường "Lê Lợi", 2'),
    ]
    with app.state.database.writing() as connection:
        for position, (lamp, fault) in enumerate(
            (
                (found[0], catalogue.LAMP_FAILURE),
                (found[1], catalogue.LAMP_FAILURE),
                (found[0], catalogue.OVER_TEMPERATURE),
            )
        ):
            at_ms = NOW_MS + position * 60_000
            ingest.ingest(connection, [Report(lamp["id"], at_ms, [Record(fault.path, at_ms // 1000, True)])])
    return found


async def listed(client: httpx.AsyncClient, **parameters: Any) -> list[tuple[str, str]]:
    answer = await client.get("/faults", params=parameters)
    assert answer.status_code == 200, answer.text
    return [(item["feeder"], item["name"]) for item in answer.json()["items"]]


async def test_faults_are_found_by_feeder_cabinet_and_time(
    client: httpx.AsyncClient, street: list[dict[str, Any]]
) -> None:
    assert await listed(client, feeder="F2") == [("F2", "lamp_failure")]
    assert len(await listed(client, cabinet="C1")) == 3
    assert await listed(client, cabinet="C2") == []
    assert await listed(client, since="2026-11-22T08:02:00Z") == [("F1", "over_temperature")]
    assert await listed(client, until="2026-11-22T08:01:00Z") == [("F1", "lamp_failure")]
    assert await listed(client, flapping=True) == []
    assert len(await listed(client, incidents="collapse")) == 3
    wrong = await client.get("/faults", params={"since": "2026-11-22T08:02:00Z", "until": "2026-11-22T08:02:00Z"})
    assert wrong.status_code == 422 and "empty" in wrong.json()["detail"]
    assert (await client.get("/faults", params={"colour": "red"})).status_code == 422


async def test_faults_are_counted_by_severity_name_and_zone(
    client: httpx.AsyncClient, street: list[dict[str, Any]]
) -> None:
    town = (await client.post("/zones", json={"name": "Town"})).json()
    inner = (await client.post("/zones", json={"name": "Market", "parent_id": town["id"]})).json()
    await client.post(f"/zones/{town['id']}/members", json={"lamp_ids": [street[1]["id"]]})
    await client.post(f"/zones/{inner['id']}/members", json={"lamp_ids": [lamp["id"] for lamp in street]})
    assert (await client.get("/faults/counts")).json() == {
        "total": 3,
        "by_severity": {"major": 2, "critical": 1},
        "by_name": {"lamp_failure": 2, "over_temperature": 1},
        "by_zone": [
            {"zone_id": town["id"], "zone": "Town", "faults": 3},
            {"zone_id": inner["id"], "zone": "Market", "faults": 3},
        ],
    }
    few = (await client.get("/faults/counts", params={"feeder": "F2"})).json()
    assert (few["total"], few["by_zone"][0]["faults"]) == (1, 1)
    assert (await client.get("/faults/counts", params={"name": "bored"})).status_code == 422


async def test_a_fault_is_assigned_with_a_time_and_found_by_the_person(
    app: FastAPI, client: httpx.AsyncClient, street: list[dict[str, Any]]
) -> None:
    fault = (await client.get("/faults", params={"feeder": "F2"})).json()["items"][0]
    path = f"/faults/{fault['id']}/assignment"
    answer = await client.put(path, json={"assigned_to": "Nguyễn An", "due_at": "2100-01-01T00:00:00Z"})
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert (given["assigned_to"], given["assigned_by"]) == ("Nguyễn An", "admin")
    assert given["due_at"] == "2100-01-01T00:00:00.000Z"
    assert await listed(client, assigned_to="Nguyễn An") == [("F2", "lamp_failure")]
    past = await client.put(path, json={"assigned_to": "An", "due_at": "2001-01-01T00:00:00Z"})
    assert past.status_code == 422 and "passed" in past.json()["detail"]
    assert (await client.put(path, json={"assigned_to": ""})).status_code == 422
    taken = (await client.delete(path)).json()
    assert (taken["assigned_to"], taken["assigned_by"], taken["due_at"]) == (None, None, None)
    await client.post(f"/faults/{fault['id']}/clear", json={})
    assert (await client.put(path, json={"assigned_to": "An"})).status_code == 409


async def test_notes_add_up_also_after_the_end(client: httpx.AsyncClient, street: list[dict[str, Any]]) -> None:
    fault = (await client.get("/faults", params={"feeder": "F2"})).json()["items"][0]
    for text in ("ladder needed", "done"):
        answer = await client.post(f"/faults/{fault['id']}/notes", json={"text": text})
        assert answer.status_code == 201, answer.text
    await client.post(f"/faults/{fault['id']}/clear", json={"note": "led replaced"})
    await client.post(f"/faults/{fault['id']}/notes", json={"text": "invoice 12"})
    seen = (await client.get(f"/faults/{fault['id']}")).json()
    assert [note["text"] for note in seen["notes"]] == ["ladder needed", "done", "led replaced", "invoice 12"]
    assert all(note["author"] == "admin" and note["at"].endswith("Z") for note in seen["notes"])
    assert (await client.post(f"/faults/{fault['id']}/notes", json={"text": ""})).status_code == 422
    assert (await client.post("/faults/999/notes", json={"text": "x"})).status_code == 404


async def test_the_history_is_exported_with_quotes_in_utf8_and_without_formulas(
    client: httpx.AsyncClient, street: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.faults.export.LARGEST_LIMIT", 2)
    items = (await client.get("/faults")).json()["items"]
    await client.post(f"/faults/{items[0]['id']}/notes", json={"text": "@SUM(1)\nsecond line"})
    await client.post(f"/faults/{items[1]['id']}/clear", json={})
    answer = await client.get("/faults/export.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "faults.csv" in answer.headers["content-disposition"]
    text = answer.content.decode("utf-8")
    assert '"Đường ""Lê Lợi"", 2"' in text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows] == ["over_temperature", "lamp_failure", "lamp_failure"]
    assert [row["lamp_name"] for row in rows] == ["'=HYPERLINK(1)", 'Đường "Lê Lợi", 2', "'=HYPERLINK(1)"]
    assert [row["state"] for row in rows] == ["open", "cleared", "open"]
    assert rows[0]["raised_at"] == "2026-11-22T08:02:00.000Z"
    assert "admin: @SUM(1)\nsecond line" in rows[0]["notes"]
    assert (rows[2]["cleared_at"], rows[2]["flapping"], rows[2]["times_raised"]) == ("", "false", "1")
    few = await client.get("/faults/export.csv", params={"state": "open", "feeder": "F2"})
    assert len(few.text.splitlines()) == 1
    for wrong in ({"name": "bored"}, {"limit": 1}):
        assert (await client.get("/faults/export.csv", params=wrong)).status_code == 422


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "＝1"])
def test_text_that_a_spreadsheet_would_run_is_text(text: str) -> None:
    (cells,) = csv.reader(io.StringIO(comma_rows.lines([(text, -1, True, None)]), newline=""))
    assert cells == ["'" + text, "-1", "true", ""]


def test_plain_cells_are_left_alone() -> None:
    assert comma_rows.lines([("a", "b,c", 'd"e', "1-2"), ("f",)]) == 'a,"b,c","d""e",1-2\r\nf\r\n'
