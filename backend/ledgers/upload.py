"""Taking a ledger: all or nothing for its chain, then line by line.

A line that is refused changes nothing (a savepoint) and does not stop the others. Lines are taken in transactions of a
few, so that lamps' reports are stored in between; each enrolment has an audit entry of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from backend.access.service import Actor
from backend.audit.service import note, record_request
from backend.enrolment import service as enrolment
from backend.enrolment.shapes import EnrolmentCreate
from backend.errors import BadInput, FieldError, Forbidden, StreetlightError
from backend.ledgers import document, repository, sealing
from backend.ledgers.document import Broken, Entry
from backend.ledgers.models import SealingKey
from contract.ledger import ENROLLED, REFUSED, UNCHANGED

TOGETHER = 50
"""Lines in one transaction: 0.35 s of SQLite's only writer."""


@dataclass(frozen=True)
class Proved:
    """A ledger whose every line its station wrote, and what it may reach."""

    entries: Sequence[Entry]
    key: SealingKey
    station_id: int
    city_id: int | None


@dataclass(frozen=True)
class Item:
    """What became of a line."""

    line: int
    result: str
    code: str
    detail: str
    endpoint: str


def prove(session: Session, data: bytes, actor: Actor) -> Proved:
    """Look at the whole ledger before anything is taken. Raises `BadInput` that names the line, `Forbidden` for a
    station that is not known, revoked, or another city's."""
    try:
        header = document.read_header(data)
        key = repository.find_key(session)
        if key is None or key.public != header.backend:
            raise Broken(1, "it is sealed for another backend: upload it there")
        station = repository.find_station(session, header.station)
        if station is None or station.id is None:
            raise Forbidden(
                f"Line 1: the station {header.station.hex()} is not known here.",
                "Register it: POST /api/v1/enrolments/stations with a technician's token.",
            )
        if station.revoked_at_ms is not None:
            raise Forbidden(
                f"Line 1: station {station.id} ({station.name}) was revoked.",
                "Provision these controllers again from a computer that is trusted; they get new keys.",
            )
        if actor.city_id is not None and station.city_id not in (None, actor.city_id):
            raise Forbidden("Line 1: this station belongs to another city.", "Upload it with a token of that city.")
        return Proved(document.read_entries(data, header.station), key, station.id, actor.city_id or station.city_id)
    except Broken as broken:
        advice = "Nothing was taken. Upload the file as the tool wrote it, or provision these controllers again."
        error = FieldError(field=f"line.{broken.line}", reason=broken.reason)
        raise BadInput(f"The ledger is broken in line {broken.line}.", advice, [error]) from None


def take(session: Session, request: Request, proved: Proved, entries: Sequence[Entry]) -> list[Item]:
    """Take these lines of the ledger in the caller's transaction, with what belongs before its commit."""
    items = [_take(session, request, proved, entry) for entry in entries]
    counts = [sum(item.result == result for item in items) for result in (ENROLLED, UNCHANGED, REFUSED)]
    note(session, "station", proved.station_id, "ledger: {} enrolled, {} unchanged, {} refused".format(*counts))
    for hook in request.app.state.before_commit:
        hook(session, request)
    return items


def _take(session: Session, request: Request, proved: Proved, entry: Entry) -> Item:
    now_ms = request.app.state.clock.real_ms()
    endpoint = ""
    try:
        body = _open(entry, proved.key)
        endpoint = body.endpoint
        if repository.was_taken(session, entry.digest):
            return Item(entry.line, UNCHANGED, "", "it was taken before", endpoint)
        with session.begin_nested():
            order = body.order(entry.made_at_ms)
            done = enrolment.enrol(session, now_ms, order, request.app.state.credentials, proved.city_id)
            assert done.lamp.id is not None
            repository.add_taken(session, entry.digest, done.lamp.id, now_ms)
    except StreetlightError as error:
        session.info.pop("audit_note", None)
        return Item(entry.line, REFUSED, _code(error), f"{_words(error)}. {error.advice}", endpoint)
    except IntegrityError:
        # Somebody uploads the same ledger at this moment, and was first with this line.
        session.info.pop("audit_note", None)
        if repository.was_taken(session, entry.digest):
            return Item(entry.line, UNCHANGED, "", "it was taken before", endpoint)
        return Item(entry.line, REFUSED, "conflict", "Somebody else changes this lamp: upload it again.", endpoint)
    if not done.unchanged:
        record_request(session, request)
    session.info.pop("audit_note", None)
    return Item(entry.line, UNCHANGED if done.unchanged else ENROLLED, "", "", endpoint)


def _open(entry: Entry, key: SealingKey) -> EnrolmentCreate:
    try:
        return EnrolmentCreate.model_validate_json(sealing.unseal(entry.box, key.private))
    except sealing.Unreadable:
        raise BadInput.of("sealed", "it does not open with this backend's key") from None
    except ValidationError as error:
        # Places and reasons only: what was sent may be a key.
        found = [
            FieldError(field=".".join(str(part) for part in one["loc"]) or "sealed", reason=_reason(one["msg"]))
            for one in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise BadInput("The enrolment has fields that cannot be accepted.", errors=found) from None


def _reason(message: str) -> str:
    # The parser's words about broken JSON quote what they met.
    return "this is no JSON" if message.startswith("Invalid JSON") else message.removeprefix("Value error, ")


def _words(error: StreetlightError) -> str:
    return "; ".join([f"{one.field}: {one.reason}" for one in error.errors]) or error.detail


def _code(error: StreetlightError) -> str:
    return error.status.phrase.lower().replace(" ", "-")
