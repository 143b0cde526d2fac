"""Ledgers: sealed, signed and chained by a computer, taken line by line, any number of times."""

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey

from backend.access.models import Role
from backend.device_server.models import Credential
from contract import ledger
from tests.backend.conftest import LAMP, MakeClient, MakeToken

STATION = SigningKey(b"\x07" * 32)
MADE_AT = "2026-11-23T01:00:00.000Z"
HEADERS = {"content-type": ledger.CONTENT_TYPE}


def order(number: int, **change: Any) -> dict[str, Any]:
    keys = {"sender_id": f"aa{number:02x}", "master_secret": f"{number:032x}", "master_salt": f"{number:016x}"}
    fields = {**LAMP, **keys, "endpoint": f"urn:lamp:{number}", "asset_id": f"A-{number}", **change}
    return {name: value for name, value in fields.items() if value is not ...}


def write(
    backend: str, *orders: dict[str, Any] | bytes, station: SigningKey = STATION, made_at: str = MADE_AT
) -> list[bytes]:
    """The lines of a ledger, as the tool writes them."""
    lines = [
        ledger.canonical(
            {
                ledger.FORMAT_FIELD: ledger.FORMAT,
                ledger.STATION: station.verify_key.encode().hex(),
                ledger.BACKEND: backend,
            }
        )
    ]
    box = SealedBox(PublicKey(bytes.fromhex(backend)))
    for content in orders:
        plain = content if isinstance(content, bytes) else json.dumps(content).encode()
        fields = {
            ledger.SEALED: base64.b64encode(box.encrypt(plain)).decode(),
            ledger.MADE_AT: made_at,
            ledger.PREVIOUS: ledger.digest(lines[-1]),
        }
        signature = station.sign(ledger.canonical(fields)).signature.hex()
        lines.append(ledger.canonical({**fields, ledger.SIGNATURE: signature}))
    return lines


def whole(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


async def upload(client: httpx.AsyncClient, lines: list[bytes] | bytes) -> httpx.Response:
    content = lines if isinstance(lines, bytes) else whole(lines)
    return await client.post("/enrolments/ledger", content=content, headers=HEADERS)


def results(answer: httpx.Response) -> list[tuple[int, str, str]]:
    assert answer.status_code == 200, answer.text
    return [(item["line"], item["result"], item["endpoint"]) for item in answer.json()["items"]]


@pytest.fixture
async def technician(make_client: MakeClient, make_token: MakeToken) -> httpx.AsyncClient:
    client = make_client(await make_token(Role.TECHNICIAN))
    body = {"name": "bench", "public_key": STATION.verify_key.encode().hex()}
    assert (await client.post("/enrolments/stations", json=body)).status_code == 201
    return client


@pytest.fixture
async def key(technician: httpx.AsyncClient) -> str:
    text: str = (await technician.get("/enrolments/key")).json()["public_key"]
    return text


async def test_a_ledger_enrols_its_lamps_and_again_changes_nothing(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str
) -> None:
    lines = write(key, order(1), order(2))
    first = await upload(technician, lines)
    assert results(first) == [(2, "enrolled", "urn:lamp:1"), (3, "enrolled", "urn:lamp:2")]
    before = (await client.get("/lamps")).json()["items"]
    assert [lamp["life"] for lamp in before] == ["enrolled", "enrolled"]
    held = await app.state.database.read(lambda session: session.get(Credential, before[0]["id"]))
    assert held.secret == bytes.fromhex(f"{1:032x}")
    again = await upload(technician, lines)
    assert results(again) == [(2, "unchanged", "urn:lamp:1"), (3, "unchanged", "urn:lamp:2")]
    assert (await client.get("/lamps")).json()["items"] == before
    audit = (await client.get("/audit")).json()["items"]
    ids = [f"lamp:{lamp['id']}" for lamp in before]
    assert [entry["object"] for entry in audit[2:4]] == [ids[1], ids[0]]
    assert audit[1]["detail"] == "ledger: 2 enrolled, 0 unchanged, 0 refused"


async def test_a_ledger_grows_between_two_uploads(technician: httpx.AsyncClient, key: str) -> None:
    lines = write(key, order(1), order(2))
    assert results(await upload(technician, lines[:2])) == [(2, "enrolled", "urn:lamp:1")]
    assert [one[1] for one in results(await upload(technician, lines))] == ["unchanged", "enrolled"]
    assert results(await upload(technician, lines[:1])) == []


async def test_a_line_that_is_refused_says_why_and_the_others_stand(
    client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str
) -> None:
    lines = write(
        key,
        order(1),
        order(2, latitude=...),
        order(3, master_secret="abc"),
        b"{ no JSON, master_secret",
        order(4, sender_id="aa01"),
        order(1, master_secret="f" * 32),
        order(5),
    )
    answer = await upload(technician, lines)
    assert [one[1] for one in results(answer)] == ["enrolled"] + ["refused"] * 5 + ["enrolled"]
    items = answer.json()["items"]
    codes = [item["code"] for item in items[1:6]]
    assert codes[:3] == [codes[0]] * 3 and codes[0].startswith("unprocessable") and codes[3:] == ["conflict"] * 2
    for item, words in zip(
        items[1:6], ("latitude", "master_secret", "no JSON", "belongs to lamp", "newer keys"), strict=True
    ):
        assert words in item["detail"], item
    assert [lamp["endpoint"] for lamp in (await client.get("/lamps")).json()["items"]] == ["urn:lamp:1", "urn:lamp:5"]


def change_field(name: str, value: str) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        return [*lines[:2], ledger.canonical({**json.loads(lines[2]), name: value}), *lines[3:]]

    return change


BROKEN: dict[str, tuple[Callable[[list[bytes]], Any], int, str]] = {
    "left out": (lambda lines: [lines[0], *lines[2:]], 2, "does not follow"),
    "moved": (lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2, "does not follow"),
    "another signature": (change_field("signature", "00" * 64), 3, "signature"),
    "another time": (change_field("made_at", "2026-11-24T00:00:00Z"), 3, "signature"),
    "another box": (change_field("sealed", "AAAA"), 3, "signature"),
    "a short signature": (change_field("signature", "00"), 3, "128 hexadecimal digits"),
    "an unknown field": (change_field("more", "x"), 3, "exactly the fields"),
    "no JSON": (lambda lines: [*lines[:2], b"{", *lines[3:]], 3, "no JSON"),
    "no UTF-8": (lambda lines: [*lines[:2], b"\xff", *lines[3:]], 3, "no JSON in UTF-8"),
    "a huge line": (lambda lines: [*lines[:2], b" " * 20_000, *lines[3:]], 3, "16384 bytes"),
    "an empty line": (lambda lines: [*lines, b""], 5, "no JSON"),
    "cut off": (lambda lines: whole(lines)[:-9], 4, "cut off"),
    "nothing": (lambda lines: b"", 1, "no JSON"),
    "another format": (lambda lines: [lines[0].replace(b"ledger-1", b"ledger-9"), *lines[1:]], 1, "format"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_ledger_is_refused_whole_and_names_its_line(
    client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str, name: str
) -> None:
    change, line, words = BROKEN[name]
    answer = await upload(technician, change(write(key, order(1), order(2), order(3))))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == f"line.{line}" and words in error["reason"]
    assert "Nothing was taken" in answer.json()["advice"]
    assert (await client.get("/lamps")).json()["items"] == []


async def test_a_ledger_for_another_backend_is_refused(technician: httpx.AsyncClient, key: str) -> None:
    answer = await upload(technician, write("0a" * 32, order(1)))
    assert answer.status_code == 422
    assert "another backend" in answer.json()["errors"][0]["reason"]


async def test_a_ledger_of_an_unknown_or_revoked_station_is_refused(
    client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str
) -> None:
    stranger = await upload(technician, write(key, order(1), station=SigningKey(b"\x08" * 32)))
    assert stranger.status_code == 403 and "not known" in stranger.json()["detail"]
    station = (await client.get("/enrolments/stations")).json()["items"][0]["id"]
    await client.delete(f"/enrolments/stations/{station}")
    revoked = await upload(technician, write(key, order(1)))
    assert revoked.status_code == 403 and "revoked" in revoked.json()["detail"]
    assert (await client.get("/lamps")).json()["items"] == []


async def test_keys_that_were_revoked_or_replaced_do_not_come_back_with_a_ledger(
    client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str
) -> None:
    lines = write(key, order(1, replace=True))
    await upload(technician, lines)
    lamp = (await client.get("/lamps")).json()["items"][0]["id"]
    assert (await client.delete(f"/lamps/{lamp}/keys")).json()["life"] == "provisioned"
    assert results(await upload(technician, lines)) == [(2, "unchanged", "urn:lamp:1")]
    assert (await client.get(f"/lamps/{lamp}")).json()["life"] == "provisioned"
    newer = order(1, endpoint="urn:lamp:9", sender_id="bb", master_secret="9" * 32, replace=True)
    assert (await technician.post("/enrolments", json=newer)).status_code == 200
    late = write(key, order(1, master_secret="8" * 32, replace=True), made_at="2020-01-01T00:00:00Z")
    (item,) = (await upload(technician, late)).json()["items"]
    assert item["result"] == "refused" and "newer keys" in item["detail"]
    assert (await client.get(f"/lamps/{lamp}")).json()["endpoint"] == "urn:lamp:9"


async def test_a_ledger_reaches_no_further_than_its_station_and_its_uploader(
    client: httpx.AsyncClient, make_client: MakeClient, key: str
) -> None:
    ids = [(await client.post("/zones", json={"name": city})).json()["id"] for city in ("Hue", "Da Nang")]
    made = {}
    for city in ("Hue", "Da Nang"):
        body = {"name": city, "role": "technician", "expires_hours": 1, "city": city}
        made[city] = make_client((await client.post("/tokens", json=body)).json()["token"])
    van = SigningKey(b"\x09" * 32)
    body = {"name": "van", "public_key": van.verify_key.encode().hex()}
    assert (await made["Hue"].post("/enrolments/stations", json=body)).json()["city_id"] == ids[0]
    lines = write(key, order(1), station=van)
    assert (await upload(made["Da Nang"], lines)).status_code == 403
    assert [one[1] for one in results(await upload(client, lines))] == ["enrolled"]
    assert len((await client.get(f"/zones/{ids[0]}/members")).json()["items"]) == 1
    other = write(key, order(2, asset_id="A-1", replace=True))
    assert (await upload(made["Da Nang"], other)).json()["items"][0]["code"] == "forbidden"


async def test_no_key_of_a_ledger_is_shown_or_logged(
    client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "deadbeef" * 4
    bad = [order(1, master_secret=secret), order(2, master_secret=secret + "0"), order(3, master_salt=[secret])]
    with caplog.at_level(logging.DEBUG):
        answer = await upload(technician, write(key, *bad, f'{{"master_secret": "{secret}"'.encode()))
    assert [one[1] for one in results(answer)] == ["enrolled"] + ["refused"] * 3
    shown = answer.text + caplog.text + (await client.get("/audit")).text
    assert "deadbeef" not in shown and "\\xde\\xad" not in shown


async def test_what_is_no_ledger_is_refused(technician: httpx.AsyncClient, make_client: MakeClient, key: str) -> None:
    plain = await technician.post("/enrolments/ledger", json={})
    assert plain.status_code == 422 and plain.json()["errors"][0]["field"] == "content-type"
    huge = await upload(technician, b" " * (ledger.LEDGER_BYTES + 1))
    assert huge.status_code == 413
    assert (await upload(make_client(None), b"")).status_code == 401


async def test_two_who_upload_at_once_end_with_the_same_lamps(
    client: httpx.AsyncClient, technician: httpx.AsyncClient, key: str
) -> None:
    lines = write(key, *(order(number) for number in range(1, 6)))
    answers = await asyncio.gather(upload(technician, lines), upload(technician, lines))
    taken = [sorted({one[1] for one in results(answer)}) for answer in answers]
    assert all(set(one) <= {"enrolled", "unchanged"} for one in taken), taken
    assert len((await client.get("/lamps")).json()["items"]) == 5
