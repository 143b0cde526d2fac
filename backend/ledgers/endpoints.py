"""Ledgers over HTTP: the key to seal for, the stations, the upload."""

from functools import partial
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import BaseModel, StringConstraints
from pydantic import Field as Described

from backend.access.guard import Admin, Technician
from backend.clock import Clock
from backend.db import Reading, Writing, find_database
from backend.errors import BadInput
from backend.kit.fields import Hex, Input, Name, PathId
from backend.kit.pages import Page, PageQuery
from backend.kit.times import UtcOut
from backend.ledgers import service, upload
from backend.ledgers.models import Station
from contract.ledger import CONTENT_TYPE, KEY_BYTES, LEDGER_BYTES

router = APIRouter(prefix="/enrolments", tags=["ledgers"])

PublicKey = Annotated[Hex, StringConstraints(min_length=2 * KEY_BYTES, max_length=2 * KEY_BYTES)]


class SealingKeyPublic(BaseModel):
    """What enrolments are sealed for when there is no network."""

    public_key: str = Described(description="X25519, 32 bytes in hexadecimal; the same for the life of the database.")


class StationCreate(Input):
    name: Name = Described(description="Which computer it is, for people.")
    public_key: PublicKey = Described(description="Ed25519, 32 bytes in hexadecimal.")


class StationPublic(BaseModel):
    """A computer whose ledgers are taken while `revoked_at` is null; `city_id` null: everywhere."""

    id: int
    name: str
    public_key: str
    city_id: int | None
    created_by: str
    created_at: UtcOut
    revoked_at: UtcOut | None

    @classmethod
    def of(cls, station: Station) -> Self:
        columns = station.model_dump(exclude={"public_key", "created_at_ms", "revoked_at_ms"})
        return cls(
            **columns,
            public_key=station.public_key.hex(),
            created_at=station.created_at_ms,
            revoked_at=station.revoked_at_ms,
        )


class LedgerItem(BaseModel):
    """What became of one line (the header is line 1). `unchanged`: its keys were in force, or it was taken before.
    `refused`: `code` is the kind of problem, `detail` what is wrong and what to do; the other lines stand."""

    line: int
    result: Literal["enrolled", "unchanged", "refused"]
    code: str
    detail: str
    endpoint: str = Described(description="Empty when the line does not open.")


class LedgerOutcome(BaseModel):
    items: list[LedgerItem]


async def _ledger(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise BadInput.of("content-type", f"a ledger is {CONTENT_TYPE}")
    data = await request.body()
    if len(data) > LEDGER_BYTES:
        raise BadInput.of("body", f"a ledger has at most {LEDGER_BYTES} bytes")
    return data


def _now(request: Request) -> int:
    clock: Clock = request.app.state.clock
    return clock.real_ms()


@router.get("/key")
async def get_key(request: Request, actor: Technician) -> SealingKeyPublic:
    """The public key that ledgers are sealed for. It is drawn when it is first asked for."""
    database, now = find_database(request), _now(request)
    key = await database.read(service.find_key)
    if key is None:
        key = await database.write(lambda session: service.make_key(session, now))
    return SealingKeyPublic(public_key=key.public.hex())


@router.post("/stations", status_code=status.HTTP_201_CREATED, responses={200: {"description": "It was known."}})
def register_station(
    body: StationCreate, request: Request, response: Response, session: Writing, actor: Technician
) -> StationPublic:
    """Let this computer sign ledgers. It reaches no further than the token that registers it."""
    public_key = bytes.fromhex(body.public_key)
    station, created = service.register(session, _now(request), body.name, public_key, actor)
    if not created:
        response.status_code = status.HTTP_200_OK
    return StationPublic.of(station)


@router.get("/stations")
def list_stations(query: Annotated[PageQuery, Query()], session: Reading, actor: Admin) -> Page[StationPublic]:
    """Every station, revoked ones too."""
    rows, cursor = service.list_stations(session, query)
    return Page(items=[StationPublic.of(row[0]) for row in rows], next_cursor=cursor)


@router.delete("/stations/{station_id}")
def revoke_station(station_id: PathId, request: Request, session: Writing, actor: Admin) -> StationPublic:
    """Take no ledger of this station any more, also not what it signed before."""
    return StationPublic.of(service.revoke(session, station_id, _now(request)))


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post("/ledger", openapi_extra=_BODY)
async def upload_ledger(data: Annotated[bytes, Depends(_ledger)], request: Request, actor: Technician) -> LedgerOutcome:
    """Take a ledger (contract.ledger). Nothing is taken unless every line follows from the one before and is signed by
    a station that is known here; then each line stands or falls by itself. Uploading it again changes nothing."""
    database = find_database(request)
    proved = await database.read(lambda session: upload.prove(session, data, actor))
    items: list[upload.Item] = []
    for start in range(0, len(proved.entries), upload.TOGETHER):
        some = proved.entries[start : start + upload.TOGETHER]
        items += await database.write(partial(upload.take, request=request, proved=proved, entries=some))
    return LedgerOutcome(items=[LedgerItem(**vars(item)) for item in items])
