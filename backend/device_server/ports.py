"""What the device server is given: the seams towards the rest of the backend, as types."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from contract.senml import Record


class Clock(Protocol):
    """`backend.clock.Clock`."""

    def now_ms(self) -> int: ...
    def real_ms(self) -> int: ...


class Database(Protocol):
    """`backend.db.Database`: transactions for a thread."""

    def reading(self) -> AbstractContextManager[Connection]: ...
    def writing(self) -> AbstractContextManager[Connection]: ...


@dataclass(frozen=True, slots=True)
class Report:
    """One Send. `received_ms` is lighting time; a record without a time of its own was measured then."""

    lamp_id: int
    received_ms: int
    records: Sequence[Record]


Ingestor = Callable[[Connection, Sequence[Report]], None]
"""Stores what it wants of the reports of one group, in the group's transaction and in the writer's thread. It must be
harmless to repeat (a lamp whose acknowledgement was lost sends again), and may raise: nothing is acknowledged then."""

OnCheckIn = Callable[[int, str], None]
"""Called in the event loop with (lamp_id, "register" | "update" | "report") after the message was served; queues
only."""
