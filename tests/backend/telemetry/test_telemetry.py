"""Readings: stored once, refused when they are nonsense, read in ranges; on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fastapi import FastAPI

from backend.device_server.ports import Report
from backend.telemetry import ingest
from contract.paths import parse
from contract.senml import Record

NOW_MS = 1_795_334_400_000
NOW_S = NOW_MS // 1000
AddLamp = Callable[..., Awaitable[dict[str, Any]]]
VALUES: dict[str, Any] = {
    "/3416/0/3": 50,
    "/3416/0/2": 50,
    "/3418/0/1": 231.5,
    "/3418/0/2": 0.2,
    "/3418/0/4": 40,
    "/3418/0/5": 0.93,
    "/3418/0/6": 1234.5,
    "/42769/0/0": "schedule",
}


def report(lamp_id: int, at_s: int | None = NOW_S, **changes: Any) -> Report:
    return Report(lamp_id, NOW_MS + 7, [Record(parse(name), at_s, value) for name, value in (VALUES | changes).items()])


def take(app: FastAPI, *reports: Report) -> None:
    with app.state.database.writing() as connection:
        ingest.ingest(connection, reports)


async def items(client: httpx.AsyncClient, lamp: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/lamps/{lamp['id']}/telemetry", params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_reading_is_stored_once_however_often_it_is_sent(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    take(app, report(lamp["id"]), report(lamp["id"]))
    take(app, report(lamp["id"]))
    assert await items(client, lamp) == [
        {
            "at": "2026-11-22T08:00:00.000Z", "level": 50, "command_in_action": 50, "rung": "schedule",
            "voltage_v": 231.5, "current_a": 0.2, "power_w": 40.0, "power_factor": 0.93, "energy_wh": 1234.5,
            "operating_hours": None, "temperature_c": None,
        }
    ]  # fmt: skip


async def test_a_lamp_without_a_clock_is_stored_at_its_arrival(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    take(app, report(lamp["id"], None))
    assert [item["at"] for item in await items(client, lamp)] == ["2026-11-22T08:00:00.007Z"]


async def test_strange_records_make_no_reading_and_spoil_none(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    strange = [
        Record(parse("/3418/0/1"), NOW_S, "high"),
        Record(parse("/3418/0/4"), NOW_S, float("nan")),
        Record(parse("/3418/0/2"), NOW_S, float("inf")),
        Record(parse("/3416/0/3"), NOW_S, True),
        Record(parse("/3416/0/2"), NOW_S, 10**30),
        Record(parse("/3416/1/3"), NOW_S, 5),
        Record(parse("/3303/0/5700"), NOW_S, 5),
        Record(parse("/42769/0/0"), NOW_S, "schedule"),
    ]
    take(app, Report(lamp["id"], NOW_MS, strange), report(lamp["id"], NOW_S + 60))
    assert [item["at"] for item in await items(client, lamp)] == ["2026-11-22T08:01:00.000Z"]


async def test_a_time_that_cannot_be_is_no_time(app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    take(app, report(lamp["id"], 10**25))
    assert [item["at"] for item in await items(client, lamp)] == ["2026-11-22T08:00:00.007Z"]


async def test_readings_are_read_in_ranges_and_pages(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp, other = await add_lamp("urn:dev:mac:01"), await add_lamp("urn:dev:mac:02")
    take(app, *(report(lamp["id"], NOW_S + 900 * number) for number in range(10)), report(other["id"]))
    assert len(await items(client, lamp)) == 10
    some = await items(client, lamp, start="2026-11-22T08:15:00Z", end="2026-11-22T15:45:00+07:00")
    assert [item["at"][11:16] for item in some] == ["08:15", "08:30"]
    page = (await client.get(f"/lamps/{lamp['id']}/telemetry", params={"limit": 7})).json()
    rest = await items(client, lamp, limit=7, cursor=page["next_cursor"])
    assert (len(page["items"]), len(rest)) == (7, 3)
    latest = (await client.get(f"/lamps/{lamp['id']}/telemetry/latest")).json()
    assert latest["at"] == "2026-11-22T10:15:00.000Z"
    light = [Record(parse("/3416/0/3"), NOW_S + 9000, 40)]
    take(app, Report(lamp["id"], NOW_MS, light))
    assert (await client.get(f"/lamps/{lamp['id']}/telemetry/latest")).json() == latest, (
        "the light alone is not measured"
    )
    dark = await add_lamp("urn:dev:mac:03")
    take(app, Report(dark["id"], NOW_MS, light))
    assert (await client.get(f"/lamps/{dark['id']}/telemetry/latest")).json()["level"] == 40


async def test_bad_ranges_and_unknown_lamps_are_refused(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    for parameters in (
        {"start": "2026-11-22T08:00:00Z", "end": "2026-11-22T08:00:00Z"},
        {"start": "yesterday"},
        {"end": "2026-11-22T08:00:00"},
        {"limit": 0},
        {"cursor": "xx"},
    ):
        answer = await client.get(f"/lamps/{lamp['id']}/telemetry", params=parameters)
        assert answer.status_code == 422, parameters
    assert (await client.get("/lamps/99/telemetry")).status_code == 404
    assert (await client.get(f"/lamps/{lamp['id']}/telemetry/latest")).status_code == 404
