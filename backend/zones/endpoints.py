"""Zones over HTTP."""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, Field, model_validator

from backend.access.guard import Operator
from backend.clock import Clock
from backend.db import Reading, Writing
from backend.kit.fields import Input, Name, Notes, PathId, RowId, Text
from backend.kit.pages import Page, PageQuery
from backend.kit.times import UtcOut
from backend.lamps.service import check_in_service
from backend.zones import service
from backend.zones.models import Zone

router = APIRouter(prefix="/zones", tags=["zones"])


class ZoneCreate(Input):
    name: Name
    description: Notes = ""
    parent_id: RowId | None = Field(None, description="The zone that this one is part of.")


class ZonePatch(Input):
    """A field that is left out stays; `parent_id: null` takes the zone out of its parent."""

    name: Name | None = None
    description: Notes | None = None
    parent_id: RowId | None = None

    @model_validator(mode="after")
    def _nulls(self) -> Self:
        for name in ("name", "description"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null; leave it out to keep it")
        return self


class ZonePublic(BaseModel):
    """`member_count`: lamps that are members by themselves, without those of the zones within."""

    id: int
    name: str
    description: str
    parent_id: int | None
    member_count: int
    created_at: UtcOut
    updated_at: UtcOut

    @classmethod
    def of(cls, zone: Zone, member_count: int) -> Self:
        columns = zone.model_dump(exclude={"created_at_ms", "updated_at_ms"})
        return cls(**columns, created_at=zone.created_at_ms, updated_at=zone.updated_at_ms, member_count=member_count)


class ZoneQuery(PageQuery):
    parent_id: RowId | None = Field(None, description="Zones directly within this one.")
    lamp_id: RowId | None = Field(None, description="Zones of which this lamp is a member by itself.")
    q: Text | None = Field(None, description="Part of the name or description, in any case.")


class MemberQuery(PageQuery):
    effective: bool = Field(True, description="true: with the lamps of the zones within, without retired ones.")


class Members(Input):
    lamp_ids: list[RowId] = Field(max_length=20_000)


class MemberCount(BaseModel):
    member_count: int


def _now(request: Request) -> int:
    clock: Clock = request.app.state.clock
    return clock.real_ms()


@router.post("", status_code=status.HTTP_201_CREATED)
def create_zone(
    body: ZoneCreate, request: Request, response: Response, session: Writing, actor: Operator
) -> ZonePublic:
    """Make a zone, perhaps within another."""
    zone = service.create(session, _now(request), body.model_dump())
    response.headers["Location"] = f"{request.url.path}/{zone.id}"
    return ZonePublic.of(zone, 0)


@router.get("")
def list_zones(query: Annotated[ZoneQuery, Query()], session: Reading) -> Page[ZonePublic]:
    """Zones by name, by page."""
    rows, cursor = service.list_zones(session, query, query.parent_id, query.lamp_id, query.q)
    return Page(items=[ZonePublic.of(row[0], row[1]) for row in rows], next_cursor=cursor)


@router.get("/{zone_id}")
def get_zone(zone_id: PathId, session: Reading) -> ZonePublic:
    """One zone."""
    return ZonePublic.of(service.get(session, zone_id), service.member_count(session, zone_id))


@router.patch("/{zone_id}")
def update_zone(zone_id: PathId, body: ZonePatch, request: Request, session: Writing, actor: Operator) -> ZonePublic:
    """Change what is given and keep the rest. A zone can never lie within itself."""
    zone = service.update(session, zone_id, _now(request), body.model_dump(exclude_unset=True))
    return ZonePublic.of(zone, service.member_count(session, zone_id))


@router.delete("/{zone_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_zone(zone_id: PathId, session: Writing, actor: Operator) -> None:
    """Delete a zone that holds no other zones; its lamps stay."""
    service.delete(session, zone_id)


@router.get("/{zone_id}/members")
def list_members(zone_id: PathId, query: Annotated[MemberQuery, Query()], session: Reading) -> Page[int]:
    """Ids of the zone's lamps, by page."""
    ids, cursor = service.list_members(session, zone_id, query, query.effective)
    return Page(items=ids, next_cursor=cursor)


@router.put("/{zone_id}/members")
def replace_members(zone_id: PathId, body: Members, session: Writing, actor: Operator) -> MemberCount:
    """Make exactly these lamps the members."""
    return MemberCount(member_count=service.replace_members(session, zone_id, body.lamp_ids, check_in_service))


@router.post("/{zone_id}/members")
def add_members(zone_id: PathId, body: Members, session: Writing, actor: Operator) -> MemberCount:
    """Add these lamps."""
    return MemberCount(member_count=service.add_members(session, zone_id, body.lamp_ids, check_in_service))


@router.delete("/{zone_id}/members")
def remove_members(zone_id: PathId, body: Members, session: Writing, actor: Operator) -> MemberCount:
    """Remove these lamps; a repeat is harmless."""
    return MemberCount(member_count=service.remove_members(session, zone_id, body.lamp_ids))
