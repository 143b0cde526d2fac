"""Zones over HTTP: sets of lamps, nested, never in a circle."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.zones import service

AddLamp = Callable[..., Awaitable[dict[str, Any]]]
AddZone = Callable[..., Awaitable[int]]


@pytest.fixture
def add_zone(client: httpx.AsyncClient) -> AddZone:
    async def add(name: str, parent_id: int | None = None, lamp_ids: list[int] | None = None) -> int:
        answer = await client.post("/zones", json={"name": name, "parent_id": parent_id})
        assert answer.status_code == 201, answer.text
        zone_id: int = answer.json()["id"]
        if lamp_ids is not None:
            assert (await client.put(f"/zones/{zone_id}/members", json={"lamp_ids": lamp_ids})).status_code == 200
        return zone_id

    return add


@pytest.fixture
async def lamps(add_lamp: AddLamp) -> list[int]:
    return [(await add_lamp(f"urn:lamp:{number}"))["id"] for number in range(4)]


async def members(client: httpx.AsyncClient, zone_id: int, **query: Any) -> list[int]:
    answer = await client.get(f"/zones/{zone_id}/members", params=query)
    assert answer.status_code == 200, answer.text
    items: list[int] = answer.json()["items"]
    return items


async def test_a_zone_is_created_changed_and_deleted(client: httpx.AsyncClient, add_zone: AddZone) -> None:
    answer = await client.post("/zones", json={"name": " Quận 1 ", "description": "centre"})
    zone = answer.json()
    assert answer.headers["location"] == f"/api/v1/zones/{zone['id']}"
    assert (zone["name"], zone["description"], zone["parent_id"], zone["member_count"]) == ("Quận 1", "centre", None, 0)
    assert (await client.get(f"/zones/{zone['id']}")).json() == zone
    changed = (await client.patch(f"/zones/{zone['id']}", json={"description": ""})).json()
    assert (changed["name"], changed["description"]) == ("Quận 1", "")
    assert (await client.delete(f"/zones/{zone['id']}")).status_code == 204
    assert (await client.get(f"/zones/{zone['id']}")).status_code == 404


async def test_zones_are_listed_by_name_and_filtered(
    client: httpx.AsyncClient, add_zone: AddZone, lamps: list[int]
) -> None:
    city = await add_zone("city")
    await add_zone("Đồng Khởi", city, lamps[:2])
    await add_zone("b", city, lamps[1:2])

    async def names(**query: Any) -> list[tuple[str, int]]:
        answer = (await client.get("/zones", params=query)).json()
        return [(zone["name"], zone["member_count"]) for zone in answer["items"]]

    assert sorted(await names()) == [("b", 1), ("city", 0), ("Đồng Khởi", 2)]
    assert sorted(await names(parent_id=city)) == [("b", 1), ("Đồng Khởi", 2)]
    assert await names(lamp_id=lamps[0]) == [("Đồng Khởi", 2)]
    assert await names(q="ĐỒNG") == [("Đồng Khởi", 2)]
    first = (await client.get("/zones", params={"limit": 2})).json()
    rest = (await client.get("/zones", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert len({zone["id"] for zone in first["items"] + rest["items"]}) == 3
    assert rest["next_cursor"] is None


async def test_members_are_replaced_added_and_removed(
    client: httpx.AsyncClient, add_zone: AddZone, lamps: list[int]
) -> None:
    zone = await add_zone("z", lamp_ids=lamps[:2])
    url = f"/zones/{zone}/members"
    assert (await client.post(url, json={"lamp_ids": lamps[1:3]})).json() == {"member_count": 3}
    assert (await client.post(url, json={"lamp_ids": lamps[1:3]})).json() == {"member_count": 3}
    assert (await client.request("DELETE", url, json={"lamp_ids": [lamps[0], lamps[3]]})).json() == {"member_count": 2}
    assert await members(client, zone) == lamps[1:3]
    assert (await client.put(url, json={"lamp_ids": [lamps[3], lamps[3], lamps[2]]})).json() == {"member_count": 2}
    assert await members(client, zone) == lamps[2:]
    assert (await client.put(url, json={"lamp_ids": []})).json() == {"member_count": 0}


async def test_effective_members_include_those_of_the_zones_within_each_once(
    app: FastAPI, client: httpx.AsyncClient, add_zone: AddZone, lamps: list[int]
) -> None:
    city = await add_zone("city", None, [lamps[0]])
    district = await add_zone("district", city, [lamps[0], lamps[1]])
    street = await add_zone("street", district, [lamps[1], lamps[2]])
    await add_zone("elsewhere", None, [lamps[3]])
    assert await members(client, city) == lamps[:3]
    assert await members(client, city, effective=False) == [lamps[0]]
    assert await members(client, street) == lamps[1:3]
    await client.delete(f"/lamps/{lamps[1]}")
    assert await members(client, city) == [lamps[0], lamps[2]]
    found = (await client.get("/lamps", params={"zone_id": city})).json()["items"]
    assert [lamp["id"] for lamp in found] == [lamps[0], lamps[2]]
    read = app.state.database.read
    assert await read(lambda session: service.lamp_ids(session, city)) == [lamps[0], lamps[2]]
    assert await read(lambda session: service.zones_of(session, lamps[2])) == [city, district, street]
    assert await read(lambda session: service.zones_of(session, lamps[0])) == [city, district]


async def test_a_zone_never_lies_within_itself(client: httpx.AsyncClient, add_zone: AddZone) -> None:
    a = await add_zone("a")
    b = await add_zone("b", a)
    c = await add_zone("c", b)
    for outer in (a, b, c):
        answer = await client.patch(f"/zones/{a}", json={"parent_id": outer})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "parent_id"
    assert (await client.patch(f"/zones/{c}", json={"parent_id": a})).json()["parent_id"] == a
    assert (await client.patch(f"/zones/{c}", json={"parent_id": None})).json()["parent_id"] is None
    assert (await client.patch(f"/zones/{a}", json={"parent_id": c})).json()["parent_id"] == c


async def test_a_zone_that_holds_others_is_not_deleted(client: httpx.AsyncClient, add_zone: AddZone) -> None:
    a = await add_zone("a")
    await add_zone("b", a)
    answer = await client.delete(f"/zones/{a}")
    assert answer.status_code == 409
    assert "first" in answer.json()["advice"]


async def test_deleting_a_zone_leaves_its_lamps(client: httpx.AsyncClient, add_zone: AddZone, lamps: list[int]) -> None:
    zone = await add_zone("z", lamp_ids=lamps)
    assert (await client.delete(f"/zones/{zone}")).status_code == 204
    assert len((await client.get("/lamps")).json()["items"]) == 4


async def test_a_name_belongs_to_one_zone(client: httpx.AsyncClient, add_zone: AddZone) -> None:
    a, b = await add_zone("a"), await add_zone("b")
    assert (await client.post("/zones", json={"name": "a"})).status_code == 409
    answer = await client.patch(f"/zones/{b}", json={"name": "a"})
    assert answer.json()["errors"] == [{"field": "name", "reason": f"is the name of zone {a}"}]
    assert (await client.patch(f"/zones/{a}", json={"name": "a"})).status_code == 200


async def test_bad_input_is_refused_by_field_and_changes_nothing(
    client: httpx.AsyncClient, add_zone: AddZone, lamps: list[int]
) -> None:
    zone = await add_zone("z", lamp_ids=lamps[:1])
    retired = lamps[3]
    await client.delete(f"/lamps/{retired}")
    url = f"/zones/{zone}"
    cases: list[tuple[str, str, Any, set[str]]] = [
        ("POST", "/zones", {}, {"name"}),
        ("POST", "/zones", {"name": "", "colour": 1}, {"name", "colour"}),
        ("POST", "/zones", {"name": "x", "parent_id": 999}, {"parent_id"}),
        ("PATCH", url, {"parent_id": 0}, {"parent_id"}),
        ("PATCH", url, {"parent_id": 999}, {"parent_id"}),
        ("PUT", f"{url}/members", {"lamp_ids": [lamps[1], 999, lamps[2], 998]}, {"lamp_ids.1", "lamp_ids.3"}),
        ("PUT", f"{url}/members", {"lamp_ids": "all"}, {"lamp_ids"}),
        ("POST", f"{url}/members", {"lamp_ids": [retired]}, {"lamp_ids.0"}),
        ("POST", f"{url}/members", {"lamp_ids": [1.5]}, {"lamp_ids.0"}),
        ("POST", f"{url}/members", {"lamp_ids": [1] * 20_001}, {"lamp_ids"}),
        ("POST", f"{url}/members", {}, {"lamp_ids"}),
    ]
    for method, path, body, fields in cases:
        answer = await client.request(method, path, json=body)
        assert answer.status_code == 422, (method, path, body)
        assert {error["field"] for error in answer.json()["errors"]} == fields, (method, path)
    for method in ("PUT", "POST", "DELETE"):
        answer = await client.request(method, "/zones/999/members", json={"lamp_ids": []})
        assert answer.status_code == 404
    answer = await client.patch(url, json={"name": None})
    assert "name" in answer.json()["errors"][0]["reason"]
    assert await members(client, zone) == lamps[:1]
    assert (await client.get("/lamps", params={"zone_id": 999})).status_code == 404
