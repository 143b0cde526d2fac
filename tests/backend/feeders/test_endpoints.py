"""Feeders through the API, on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.access.models import Role
from backend.device_server.ports import Report
from backend.faults import ingest
from backend.feeders import service
from contract import faults as catalogue
from contract.senml import Record

AddLamp = Callable[..., Awaitable[dict[str, Any]]]
NIGHT = {"start": "S-15", "end": "R+15"}


@pytest.fixture
async def street(app: FastAPI, add_lamp: AddLamp) -> list[dict[str, Any]]:
    """Two lamps of one feeder in two cabinets, one of another, one of none; one fault."""
    found = [
        await add_lamp("urn:dev:mac:01", feeder="Bến Thành/1", cabinet="C2"),
        await add_lamp("urn:dev:mac:02", feeder="Bến Thành/1", cabinet="C1", latitude=10.7771),
        await add_lamp("urn:dev:mac:03", feeder="F2", cabinet="C1"),
        await add_lamp("urn:dev:mac:04"),
    ]
    now_ms = app.state.clock.now_ms()
    with app.state.database.writing() as connection:
        records = [Record(catalogue.LAMP_FAILURE.path, now_ms // 1000, True)]
        ingest.ingest(connection, [Report(found[0]["id"], now_ms, records)])
    return found


async def test_feeders_are_listed_with_the_states_of_their_lamps(
    client: httpx.AsyncClient, street: list[dict[str, Any]]
) -> None:
    items = (await client.get("/feeders")).json()["items"]
    assert [item["feeder"] for item in items] == ["Bến Thành/1", "F2"]
    assert items[0] == {
        "feeder": "Bến Thành/1",
        "cabinets": ["C1", "C2"],
        "lamps": 2,
        "online": 0,
        "offline": 0,
        "never": 2,
        "faults": 1,
        "supply": None,
    }
    page = (await client.get("/feeders", params={"limit": 1})).json()
    rest = (await client.get("/feeders", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [item["feeder"] for item in rest["items"]] == ["F2"] and rest["next_cursor"] is None

    async def names(**parameters: Any) -> list[str]:
        return [item["feeder"] for item in (await client.get("/feeders", params=parameters)).json()["items"]]

    assert await names(cabinet="C2") == ["Bến Thành/1"]
    assert await names(feeder="F2") == ["F2"]
    assert await names(planned=True) == []
    assert await names(planned=False) == ["Bến Thành/1", "F2"]
    await client.delete(f"/lamps/{street[2]['id']}")
    assert await names() == ["Bến Thành/1"]


async def test_hours_are_planned_shown_and_removed(
    app: FastAPI, client: httpx.AsyncClient, street: list[dict[str, Any]]
) -> None:
    answer = await client.put("/feeders/supply", json={"feeder": "Bến Thành/1", "hours": [NIGHT]})
    assert answer.status_code == 200, answer.text
    planned = answer.json()["supply"]
    assert planned["hours"] == [NIGHT | {"type": "night", "date_rule": "* * *"}]
    assert isinstance(planned["on"], bool)
    assert planned["since"] < planned["until"]
    assert planned["updated_by"] == "admin"
    (item,) = (await client.get("/feeders", params={"planned": True})).json()["items"]
    assert item["supply"]["hours"] == planned["hours"]
    with app.state.database.session(writes=False) as session:
        assert list(service.supplies(session, app.state.clock.now_ms())) == ["Bến Thành/1"]
    day = [{"start": "06:00", "end": "18:00", "type": "day"}]
    changed = (await client.put("/feeders/supply", json={"feeder": "Bến Thành/1", "hours": day})).json()
    assert changed["supply"]["hours"][0]["type"] == "day"
    for status in (204, 404):
        answer = await client.request("DELETE", "/feeders/supply", params={"feeder": "Bến Thành/1"})
        assert answer.status_code == status
    assert (await client.get("/feeders")).json()["items"][0]["supply"] is None


async def test_a_plan_outlives_its_lamps_and_excuses_nobody(
    app: FastAPI, client: httpx.AsyncClient, street: list[dict[str, Any]]
) -> None:
    await client.put("/feeders/supply", json={"feeder": "F2", "hours": [NIGHT]})
    await client.patch(f"/lamps/{street[2]['id']}", json={"feeder": "F3"})
    (item,) = (await client.get("/feeders", params={"feeder": "F2"})).json()["items"]
    assert (item["lamps"], item["supply"]["on"], item["supply"]["until"]) == (0, True, None)
    with app.state.database.session(writes=False) as session:
        assert service.supplies(session, app.state.clock.now_ms()) == {}


async def test_what_means_nothing_is_refused_by_field(client: httpx.AsyncClient, street: list[dict[str, Any]]) -> None:
    for body, field in (
        ({"feeder": "F9", "hours": [NIGHT]}, "feeder"),
        ({"feeder": "F2", "hours": []}, "hours"),
        ({"feeder": "F2", "hours": [NIGHT] * 9}, "hours"),
        ({"feeder": "F2", "hours": [NIGHT, NIGHT | {"end": "24:00"}]}, "hours.1.end"),
        ({"feeder": "F2", "hours": [NIGHT | {"type": "noon"}]}, "hours.0.type"),
        ({"feeder": "F2", "hours": [NIGHT | {"date_rule": "* * 8"}]}, "hours.0.date_rule"),
    ):
        answer = await client.put("/feeders/supply", json=body)
        assert answer.status_code == 422, body
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_viewer_plans_nothing(
    make_client: Callable[[str | None], httpx.AsyncClient],
    make_token: Callable[[Role], Awaitable[str]],
    street: list[dict[str, Any]],
) -> None:
    viewer = make_client(await make_token(Role.VIEWER))
    assert (await viewer.get("/feeders")).status_code == 200
    assert (await viewer.put("/feeders/supply", json={"feeder": "F2", "hours": [NIGHT]})).status_code == 403
    assert (await viewer.request("DELETE", "/feeders/supply", params={"feeder": "F2"})).status_code == 403
