"""Reading the trail."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from backend.access.guard import Admin
from backend.audit import service
from backend.db import Reading
from backend.kit.fields import Text
from backend.kit.pages import Page, PageQuery
from backend.kit.times import UtcIn, UtcOut

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditQuery(PageQuery):
    actor: Text | None = Field(None, description="Name of a token.")
    object: Text | None = Field(None, description="`lamp:12`, `zone:3`...")
    since: UtcIn | None = None


class AuditEntryPublic(BaseModel):
    """Who did what, to what, when (real time)."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: UtcOut = Field(validation_alias="at_ms")
    actor: str
    role: str
    method: str
    path: str
    object: str
    detail: str


@router.get("")
def list_audit(session: Reading, actor: Admin, query: Annotated[AuditQuery, Query()]) -> Page[AuditEntryPublic]:
    """Every change, newest first. Needs the role admin."""
    rows, cursor = service.list_entries(session, query, query.actor, query.object, query.since)
    return Page(items=[AuditEntryPublic.model_validate(row[0]) for row in rows], next_cursor=cursor)
