"""Ledgers over HTTP: the key to seal for, the stations, the upload."""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, StringConstraints
from pydantic import Field as Described

from backend.access.guard import Admin, Technician
from backend.clock import Clock
from backend.db import Reading, Writing, find_database
from backend.kit.fields import Hex, Input, Name, PathId
from backend.kit.pages import Page, PageQuery
from backend.kit.times import UtcOut
from backend.ledgers import service
from backend.ledgers.models import Station
from contract.ledger import KEY_BYTES

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
