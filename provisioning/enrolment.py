"""What the backend is told of a new lamp, and what it answers. `enrolment_http` and `ledger` fulfil `Backend`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass
class Order:
    """One enrolment: POST /api/v1/enrolments. Keys are bytearrays, shown by nothing, overwritten by `wipe`."""

    endpoint: str
    sender_id: bytes
    secret: bytearray = field(repr=False)
    salt: bytearray = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """asset_id and the facts of a `plate.Plate`."""
    replace: bool = False

    def document(self) -> dict[str, Any]:
        """The body of the request. It holds the keys: send or seal it at once and drop it."""
        return {
            **self.facts,
            "endpoint": self.endpoint,
            "sender_id": self.sender_id.hex(),
            "master_secret": self.secret.hex(),
            "master_salt": self.salt.hex(),
            "replace": self.replace,
        }

    def wipe(self) -> None:
        for key in (self.secret, self.salt):
            key[:] = bytes(len(key))


@dataclass(frozen=True)
class Outcome:
    """`result`: "enrolled" (new keys are in force), "unchanged" (it had exactly these), "recorded" (in the ledger)."""

    result: str
    endpoint: str
    lamp_id: int | None = None


@dataclass(frozen=True)
class Known:
    """A lamp as the backend has it; `state` is its word: provisioned, enrolled, commissioned, online, retired ..."""

    lamp_id: int
    endpoint: str
    asset_id: str
    state: str


class Backend(Protocol):
    """Where keys go. Both may be called again with the same order: the result is the same lamp with the same keys."""

    def enrol(self, order: Order) -> Outcome: ...

    def find(self, endpoint: str) -> Known | None:
        """The lamp with this endpoint; None: not known (offline: what this computer recorded)."""
        ...
