"""The operator's desk of a bench: what checks ask of the backend, through the same HTTP API as any operator's client.

Boards are numbered as in `hil.bench.Bench.stands`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hil.patience import until
from hil.street.backend import Api

REASON = "bench"
# States of an override at a board that nothing has to be cancelled of.
ENDED = frozenset(("expired", "refused", "superseded", "cancelled"))


def iso(utc_ms: float) -> str:
    """UTC milliseconds as the API takes them."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    """UTC milliseconds of an ISO 8601 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class Desk:
    """`ids[n]` is the API's id of board n. Every verb raises BackendFailed when it is refused."""

    def __init__(self, api: Api, ids: Sequence[int]) -> None:
        self.api = api
        self._ids = list(ids)
        self._zones: dict[tuple[int, ...], int] = {}

    def override(self, board: int, level: int, duration_s: int = 3600, fade_s: float = 0.0) -> int:
        """Ask for a level 0..100 now; the override's id."""
        body = {
            "lamp_id": self._ids[board],
            "level": level,
            "duration_s": duration_s,
            "fade_s": fade_s,
            "reason": REASON,
        }
        return int(self.api.post("/overrides", body)["id"])

    def override_together(self, boards: Sequence[int], level: int, start_ms: int, duration_s: int = 3600) -> int:
        """Ask a zone of boards for a level from `start_ms` (UTC, whole seconds) on; the override's id."""
        body = {
            "zone_id": self._zone(tuple(boards)),
            "level": level,
            "start": iso(start_ms),
            "duration_s": duration_s,
            "reason": REASON,
        }
        return int(self.api.post("/overrides", body)["id"])

    def outcome(self, override: int, board: int) -> str:
        """State of an override at one board: accepted, sent, received, executed, ..."""
        for item in self.api.get(f"/overrides/{override}/outcomes")["items"]:
            if item["lamp_id"] == self._ids[board]:
                return str(item["state"])
        raise ValueError(f"override {override} was not asked of board {board}")

    def becomes(self, override: int, board: int, state: str = "executed", deadline_s: float = 30.0) -> None:
        """Wait for a state; raises hil.errors.NothingSeen."""
        until(lambda: self.outcome(override, board) == state, deadline_s, f"override at board {board} is {state}")

    def cancel(self, override: int) -> None:
        self.api.delete(f"/overrides/{override}")

    def release(self) -> None:
        """Cancel what a run that was broken off left behind: overrides of a bench that a board may still hold."""
        for override in self.api.pages("/overrides", active=True, limit=500):
            if override["reason"] == REASON and not ENDED.issuperset(override["outcomes"]):
                self.cancel(override["id"])

    def assign(self, schedule: Mapping[str, Any]) -> None:
        """Store a schedule, as the API takes it, in place of one of its name, and give it to all boards."""
        identifier = self._named("/schedules", str(schedule["name"]))
        if identifier is None:
            identifier = int(self.api.post("/schedules", dict(schedule))["id"])
        else:
            self.api.put(f"/schedules/{identifier}", dict(schedule))
        self.api.post(f"/schedules/{identifier}/assignments", {"lamp_ids": self._ids})

    def lamp(self, board: int) -> dict[str, Any]:
        """The board's lamp as the API shows it."""
        found: dict[str, Any] = self.api.get(f"/lamps/{self._ids[board]}")
        return found

    def is_online(self, board: int) -> bool:
        return bool(self.lamp(board)["status"] == "online")

    def schedule(self, board: int) -> dict[str, Any]:
        """What schedule the lamp should hold, and what it says it holds."""
        found: dict[str, Any] = self.api.get(f"/lamps/{self._ids[board]}/schedule")
        return found

    def resources(self, board: int, *paths: str) -> dict[str, Any]:
        """Read resources from the lamp now; values by path."""
        answer = self.api.get(f"/lamps/{self._ids[board]}/resources", path=list(paths))
        return {item["path"]: item["value"] for item in answer["items"]}

    def _zone(self, boards: tuple[int, ...]) -> int:
        if boards not in self._zones:
            name = "bench " + " ".join(str(board) for board in boards)
            zone = self._named("/zones", name)
            if zone is None:
                zone = int(self.api.post("/zones", {"name": name})["id"])
            self.api.put(f"/zones/{zone}/members", {"lamp_ids": [self._ids[board] for board in boards]})
            self._zones[boards] = zone
        return self._zones[boards]

    def _named(self, path: str, name: str) -> int | None:
        """What an earlier run made: the bench of a city keeps its database."""
        known = {item["name"]: int(item["id"]) for item in self.api.pages(path, limit=500)}
        return known.get(name)
