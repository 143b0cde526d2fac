"""What is known of each lamp while the server runs: its registration, where it was last heard, and when.

A lamp is its key, not its address: the address is where its last authenticated message came from. The table in the
database follows every few seconds (`take_unsaved`), so that a restart raises no false fault. Event loop only.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backend.device_server.tuning import Address


@dataclass(slots=True)
class Session:
    """One lamp. Times are real milliseconds; `saved_ms` is the last-heard time that the database holds."""

    lamp_id: int
    endpoint: str
    location: str | None = None
    registered: bool = False
    remote: Address | None = None
    lifetime_s: int = 0
    version: str = "1.1"
    binding: str = "U"
    root: tuple[str, ...] = ()
    formats: tuple[int, ...] = ()
    registered_ms: int = 0
    heard_ms: int = 0
    saved_ms: int = 0
    protected: bool = True
    """False in the laboratory mode for a lamp that spoke without OSCORE."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as domains see it. A lamp is late when real time is past `last_heard_real_ms + lifetime_s * 1000`."""

    lamp_id: int
    endpoint: str
    registered: bool
    address: str
    lifetime_s: int
    lwm2m_version: str
    registered_real_ms: int
    last_heard_real_ms: int


class Sessions:
    """Sessions by lamp, by registration location and, for laboratory lamps, by address. `on_move(lamp_id)` is called
    when a lamp is heard from another address than before, `on_forget(lamp_id)` when its key is no longer in force."""

    def __init__(self) -> None:
        self.on_move: Callable[[int], None] = lambda lamp_id: None
        self.on_forget: Callable[[int], None] = lambda lamp_id: None
        self._by_lamp: dict[int, Session] = {}
        self._by_location: dict[str, Session] = {}
        self._by_address: dict[Address, Session] = {}

    def __len__(self) -> int:
        return len(self._by_lamp)

    def find(self, lamp_id: int) -> Session | None:
        return self._by_lamp.get(lamp_id)

    def locate(self, lamp_id: int) -> Address | None:
        """Where the lamp was last heard; None when it never was, or its key was revoked."""
        session = self._by_lamp.get(lamp_id)
        return None if session is None else session.remote

    def find_location(self, location: str) -> Session | None:
        return self._by_location.get(location)

    def find_address(self, remote: Address) -> Session | None:
        """The laboratory lamp that registered from this address."""
        return self._by_address.get(remote)

    def heard(self, lamp_id: int, endpoint: str, remote: Address, now_ms: int) -> Session:
        """An authenticated message came in: liveness, and the address for everything that is sent from now on."""
        session = self._by_lamp.get(lamp_id)
        if session is None:
            session = self._by_lamp[lamp_id] = Session(lamp_id, endpoint)
        has_moved = session.remote is not None and session.remote != remote
        session.remote = remote
        session.heard_ms = now_ms
        if has_moved:
            self.on_move(lamp_id)
        return session

    def answered(self, lamp_id: int, now_ms: int) -> None:
        """The lamp answered a request of ours, whatever it said: liveness."""
        session = self._by_lamp.get(lamp_id)
        if session is not None:
            session.heard_ms = now_ms

    def put(self, session: Session) -> None:
        """Take a session that was registered or restored; its old location is no longer valid."""
        before = self._by_lamp.get(session.lamp_id)
        if before is not None:
            self._drop_keys(before)
        self._by_lamp[session.lamp_id] = session
        if session.location is not None and session.registered:
            self._by_location[session.location] = session
        if not session.protected and session.remote is not None:
            self._by_address[session.remote] = session

    def deregister(self, session: Session) -> None:
        """A planned stop: the location ends, what was heard stays known."""
        self._drop_keys(session)
        session.registered = False

    def forget(self, lamp_id: int) -> None:
        """The lamp's key was revoked or replaced."""
        session = self._by_lamp.pop(lamp_id, None)
        if session is not None:
            self._drop_keys(session)
        self.on_forget(lamp_id)

    def _drop_keys(self, session: Session) -> None:
        if session.location is not None and self._by_location.get(session.location) is session:
            del self._by_location[session.location]
        for remote in [address for address, held in self._by_address.items() if held is session]:
            del self._by_address[remote]

    def take_unsaved(self) -> list[tuple[int, int, str]]:
        """(lamp_id, last heard, address) of the sessions heard since they were saved, and mark them saved."""
        unsaved = []
        for session in self._by_lamp.values():
            if session.heard_ms > session.saved_ms and session.remote is not None:
                session.saved_ms = session.heard_ms
                unsaved.append((session.lamp_id, session.heard_ms, session.remote.text))
        return unsaved

    def unsave(self, lamp_ids: Iterable[int]) -> None:
        """They could not be written: try again with the next flush."""
        for lamp_id in lamp_ids:
            session = self._by_lamp.get(lamp_id)
            if session is not None:
                session.saved_ms = 0

    def snapshot(self) -> list[SessionView]:
        """All sessions, copied."""
        return [
            SessionView(
                lamp_id=session.lamp_id,
                endpoint=session.endpoint,
                registered=session.registered,
                address="" if session.remote is None else session.remote.text,
                lifetime_s=session.lifetime_s,
                lwm2m_version=session.version,
                registered_real_ms=session.registered_ms,
                last_heard_real_ms=session.heard_ms,
            )
            for session in self._by_lamp.values()
        ]
