"""Live reading and restarting through the API; the lamp is a fake here, the true one answers in tests/system."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.access.models import Role
from backend.device_server.errors import LampRefused, LampUnreachable
from backend.diagnostics import service
from contract import paths
from tests.backend.waiting import PATIENCE_S

AddLamp = Callable[..., Awaitable[dict[str, Any]]]


class FakeGateway:
    """Answers what it holds, or as it is told."""

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {paths.parse("/3/0/10"): 60, paths.parse("/3/0/0"): "Streetlight"}
        self.error: Exception | None = None
        self.executed: list[str] = []
        self.present = True
        self.asked = 0
        self.free = asyncio.Event()
        self.free.set()

    def is_present(self, lamp_id: int) -> bool:
        return self.present

    async def _turn(self) -> None:
        self.asked += 1
        await self.free.wait()
        if self.error is not None:
            raise self.error

    async def read_composite(self, lamp_id: int, wanted: Any) -> dict[Any, Any]:
        await self._turn()
        return {path: value for path, value in self.values.items() if any(paths.covers(w, path) for w in wanted)}

    async def execute(self, lamp_id: int, path: Any) -> None:
        await self._turn()
        self.executed.append(paths.format(path))


@pytest.fixture
def gateway(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    found = FakeGateway()
    monkeypatch.setattr(app.state, "device_server", SimpleNamespace(gateway=found))
    return found


@pytest.fixture
async def lamp(add_lamp: AddLamp) -> int:
    return int((await add_lamp("urn:dev:mac:01"))["id"])


async def test_what_the_lamp_says_comes_in_the_order_of_the_question_with_its_name_and_unit(
    client: httpx.AsyncClient, gateway: FakeGateway, lamp: int
) -> None:
    answer = await client.get(f"/lamps/{lamp}/resources", params={"path": ["/3/0/10", "3/0/0", "/3/0/13"]})
    assert answer.status_code == 200
    assert [(item["path"], item["value"], item["unit"]) for item in answer.json()["items"]] == [
        ("/3/0/10", 60, ""),
        ("/3/0/0", "Streetlight", ""),
    ]
    assert answer.json()["items"][0]["name"] == "Memory Free"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/0/0/5", "holds keys"),
        ("/21/0/3", "holds keys"),
        ("/3/0", "object, instance and number"),
        ("/3/0/999", "docs/wire.md"),
        ("/65534/0/1", "docs/wire.md"),
        ("/3/0/4", "cannot be read"),
        ("3/x/1", "no path"),
        ("/3/0/1/2/3", "at most four"),
    ],
)
async def test_a_path_that_is_no_readable_resource_is_refused_with_its_reason(
    client: httpx.AsyncClient, gateway: FakeGateway, lamp: int, path: str, words: str
) -> None:
    answer = await client.get(f"/lamps/{lamp}/resources", params={"path": path})
    assert answer.status_code == 422
    assert words in answer.json()["errors"][0]["reason"]


async def test_one_to_sixteen_paths_are_read(client: httpx.AsyncClient, gateway: FakeGateway, lamp: int) -> None:
    assert (await client.get(f"/lamps/{lamp}/resources")).status_code == 422
    for count, status in ((16, 200), (17, 422)):
        answer = await client.get(f"/lamps/{lamp}/resources", params={"path": ["/3/0/10"] * count})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("error", "status"),
    [(LampUnreachable("no session"), 503), (LampRefused("4.05", "not allowed"), 502), (TimeoutError(), 503)],
)
async def test_a_lamp_that_is_away_or_refuses_is_told_apart(
    client: httpx.AsyncClient, gateway: FakeGateway, lamp: int, error: Exception, status: int
) -> None:
    gateway.error = error
    for answer in (
        await client.get(f"/lamps/{lamp}/resources", params={"path": "/3/0/10"}),
        await client.post(f"/lamps/{lamp}/restart"),
    ):
        assert answer.status_code == status
        assert answer.json()["advice"]


async def test_a_lamp_that_does_not_exist_is_not_asked(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    assert (await client.get("/lamps/4711/resources", params={"path": "/3/0/10"})).status_code == 404
    assert (await client.post("/lamps/4711/restart")).status_code == 404
    assert gateway.executed == []


async def test_a_restart_is_executed_and_audited(client: httpx.AsyncClient, gateway: FakeGateway, lamp: int) -> None:
    assert (await client.post(f"/lamps/{lamp}/restart")).status_code == 204
    assert gateway.executed == ["/3/0/4"]
    entries = (await client.get("/audit")).json()["items"]
    assert any(entry["object"] == f"lamp:{lamp}" and entry["detail"] == "restart asked for" for entry in entries)


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.OPERATOR, 403), (Role.TECHNICIAN, 200)])
async def test_technicians_ask_and_nobody_below(
    make_client: Any, make_token: Any, gateway: FakeGateway, lamp: int, role: Role, status: int
) -> None:
    client = make_client(await make_token(role))
    answer = await client.get(f"/lamps/{lamp}/resources", params={"path": "/3/0/10"})
    assert answer.status_code == status
    assert (await client.post(f"/lamps/{lamp}/restart")).status_code == (204 if status == 200 else status)


async def test_a_refused_path_is_not_repeated(client: httpx.AsyncClient, gateway: FakeGateway, lamp: int) -> None:
    """It may be a key, pasted in the wrong place."""
    answer = await client.get(f"/lamps/{lamp}/resources", params={"path": "a0a1a2a3a4a5a6a7"})
    assert answer.status_code == 422
    assert "a0a1" not in answer.text


async def test_a_lamp_that_is_offline_or_retired_is_refused_at_once_and_leaves_no_trail(
    client: httpx.AsyncClient, gateway: FakeGateway, lamp: int
) -> None:
    gateway.present = False
    for is_retired, status, words in ((False, 503, "is offline: it has never registered"), (True, 409, "is retired")):
        if is_retired:
            assert (await client.delete(f"/lamps/{lamp}")).status_code == 200
        for answer in (
            await client.get(f"/lamps/{lamp}/resources", params={"path": "/3/0/10"}),
            await client.post(f"/lamps/{lamp}/restart"),
        ):
            assert answer.status_code == status
            assert words in answer.json()["detail"] and answer.json()["advice"]
    assert gateway.asked == 0
    assert await restarts(client) == []


async def test_a_restart_is_on_the_trail_also_when_the_lamp_does_not_answer(
    client: httpx.AsyncClient, gateway: FakeGateway, lamp: int
) -> None:
    """It may have restarted: the request arrived, and the answer was lost."""
    gateway.error = LampUnreachable("the lamp does not answer")
    answer = await client.post(f"/lamps/{lamp}/restart")
    assert answer.status_code == 503
    assert "42769/0/4" in answer.json()["advice"]
    assert await restarts(client) == [f"lamp:{lamp}"]


async def test_a_lamp_is_waited_for_no_longer_than_patience_lasts(
    client: httpx.AsyncClient, gateway: FakeGateway, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.PATIENCE_S < 20, "the street's client gives up after 20 s, without having heard why"
    monkeypatch.setattr(service, "PATIENCE_S", 0.05)
    gateway.free.clear()
    async with asyncio.timeout(PATIENCE_S):
        answer = await client.get(f"/lamps/{lamp}/resources", params={"path": "/3/0/10"})
    assert answer.status_code == 503


async def restarts(client: httpx.AsyncClient) -> list[str]:
    """What the trail says was restarted."""
    entries = (await client.get("/audit")).json()["items"]
    return [entry["object"] for entry in entries if entry["path"].endswith("/restart")]
