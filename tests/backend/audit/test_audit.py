"""The trail: who did what, written with the change itself or not at all."""

import re
from typing import Any

import httpx
from fastapi import FastAPI

from backend.access.models import Role
from backend.audit.models import AuditEntry
from tests.backend.conftest import LAMP, MakeClient, MakeToken


async def trail(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_every_change_is_written_with_who_what_and_when(
    client: httpx.AsyncClient, make_client: MakeClient, make_token: MakeToken
) -> None:
    operator = make_client(await make_token(Role.OPERATOR, "Lan"))
    lamp = (await operator.post("/lamps", json={**LAMP, "endpoint": "urn:1"})).json()
    await operator.patch(f"/lamps/{lamp['id']}", json={"street": "Lê Lợi", "feeder": "F1"})
    zone = (await client.post("/zones", json={"name": "z"})).json()
    await client.put(f"/zones/{zone['id']}/members", json={"lamp_ids": [lamp["id"]]})
    await client.delete(f"/zones/{zone['id']}")
    entries = await trail(client)
    seen = [(e["actor"], e["role"], e["method"], e["object"], e["detail"]) for e in reversed(entries)]
    lamp_object, zone_object = f"lamp:{lamp['id']}", f"zone:{zone['id']}"
    assert seen == [
        ("Lan", "operator", "POST", lamp_object, "created urn:1"),
        ("Lan", "operator", "PATCH", lamp_object, "street, feeder"),
        ("admin", "admin", "POST", zone_object, "created z"),
        ("admin", "admin", "PUT", zone_object, "members replaced: 1"),
        ("admin", "admin", "DELETE", zone_object, "deleted z"),
    ]
    assert entries[-1]["path"] == "/api/v1/lamps"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["at"]) for entry in entries)


async def test_what_was_refused_or_only_read_is_not_written(
    client: httpx.AsyncClient, make_client: MakeClient, make_token: MakeToken
) -> None:
    viewer = make_client(await make_token(Role.VIEWER))
    await viewer.get("/lamps")
    await viewer.post("/zones", json={"name": "z"})
    await client.post("/zones", json={"name": ""})
    await client.patch("/lamps/7", json={"street": "x"})
    assert await trail(client) == []


async def test_the_change_and_its_entry_are_kept_or_lost_together(app: FastAPI, client: httpx.AsyncClient) -> None:
    def fail(session: Any, request: Any) -> None:
        values: dict[str, Any] = dict.fromkeys(("actor", "role", "method", "path", "object", "detail"), "x")
        session.add(AuditEntry(**values, at_ms=None))  # type: ignore[arg-type]

    app.state.before_commit, before = (*app.state.before_commit, fail), app.state.before_commit
    try:
        answer = await client.post("/zones", json={"name": "z"})
    finally:
        app.state.before_commit = before
    assert answer.status_code == 409
    assert (await client.get("/zones")).json()["items"] == []
    assert await trail(client) == []


async def test_the_trail_is_filtered_and_paged(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await client.post("/zones", json={"name": f"z{number}"})
    entries = await trail(client)
    assert [entry["detail"] for entry in entries] == [f"created z{number}" for number in (4, 3, 2, 1, 0)]
    assert [e["object"] for e in await trail(client, object=entries[1]["object"])] == [entries[1]["object"]]
    assert await trail(client, actor="nobody") == []
    assert len(await trail(client, actor="admin", since=entries[2]["at"])) >= 3
    assert await trail(client, since="2100-01-01T00:00:00Z") == []
    page = (await client.get("/audit", params={"limit": 2})).json()
    rest = (await client.get("/audit", params={"limit": 10, "cursor": page["next_cursor"]})).json()
    assert [*page["items"], *rest["items"]] == entries
    assert (await client.get("/audit", params={"since": "yesterday"})).json()["errors"][0]["field"] == "since"


async def test_only_an_administrator_reads_it(make_client: MakeClient, make_token: MakeToken) -> None:
    technician = make_client(await make_token(Role.TECHNICIAN))
    assert (await technician.get("/audit")).status_code == 403
