"""The backend over HTTP: enrol, look up, upload a ledger, log in. Every answer becomes an outcome or a `Failure`.

What changes nothing when it is done twice is tried again after a lost connection, a timeout or a 502, 503, 504:
enrolments (the backend takes the same content twice), uploads, reads. Registering this computer is tried once.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract.ledger import CONTENT_TYPE, ENROLLED, UNCHANGED
from provisioning.enrolment import Known, Order, Outcome
from provisioning.errors import Failure
from provisioning.sealing import check_key

TIMEOUTS = httpx.Timeout(10, connect=5, pool=5)
UPLOAD_TIMEOUTS = httpx.Timeout(120, connect=5, pool=5)  # Ten thousand lines are opened and checked one by one.
PAUSES_S = (0.5, 2.0)  # Between three attempts.
_AGAIN = (502, 503, 504)
_CONFLICTS = {"serial": "serial_used", "mac": "mac_known"}


@dataclass(frozen=True)
class Answered:
    """What the backend said to one line of a ledger; `result` is enrolled, unchanged or refused."""

    line: int
    result: str
    code: str
    endpoint: str


class HttpBackend:
    """The backend at `url`, with a technician's token. Failure `backend_open` for http to another computer."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = check_url(url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._client = httpx.Client(
                base_url=f"{self.url}/api/v1", headers=headers, timeout=TIMEOUTS, transport=transport
            )
        except (UnicodeEncodeError, httpx.InvalidURL):
            raise Failure("token_refused", "the token or the address holds a character that none has") from None
        self._pause = pause

    def enrol(self, order: Order) -> Outcome:
        """Create or confirm the lamp with these keys; Failure `lamp_known`, `serial_used`, `enrolment_refused` ..."""
        answer = self._ask("POST", "/enrolments", content=json.dumps(order.document()).encode())
        fields = _fields(answer)
        result = fields.get("result") or (ENROLLED if answer.status_code == 201 else UNCHANGED)
        return Outcome(str(result), order.endpoint, _lamp_id(fields.get("lamp")))

    def find(self, endpoint: str) -> Known | None:
        """The lamp with this endpoint, retired ones too; None when the backend has none."""
        for retired in ("false", "true"):
            answer = self._ask("GET", "/lamps", params={"endpoint": endpoint, "retired": retired})
            items = _fields(answer).get("items")
            for item in items if isinstance(items, list) else []:
                if isinstance(item, dict) and item.get("endpoint") == endpoint and (lamp_id := _lamp_id(item)):
                    state = "retired" if item.get("retired_at") else item.get("life") or item.get("status") or ""
                    return Known(lamp_id, endpoint, str(item.get("asset_id", "")), str(state))
        return None

    def key(self) -> str:
        """The public key that ledgers are sealed with, hexadecimal."""
        try:
            return check_key(_fields(self._ask("GET", "/enrolments/key")).get("public_key", ""))
        except ValueError as error:
            raise Failure("backend_failed", f"its public key: {error}") from None

    def register_station(self, name: str, public_key: str) -> None:
        """Let the backend take this computer's ledgers."""
        content = json.dumps({"name": name, "public_key": public_key}).encode()
        self._ask("POST", "/enrolments/stations", content=content, repeatable=False)

    def upload(self, ledger: bytes) -> list[Answered]:
        """Give the whole ledger; one answer a line."""
        answer = self._ask("POST", "/enrolments/ledger", content=ledger, kind=CONTENT_TYPE, timeouts=UPLOAD_TIMEOUTS)
        try:
            items = _fields(answer)["items"]
            return [
                Answered(int(item["line"]), str(item["result"]), item.get("code") or "", item.get("endpoint") or "")
                for item in items
            ]
        except (KeyError, TypeError, ValueError):
            raise Failure("backend_failed", "its answer to the ledger cannot be read") from None

    def close(self) -> None:
        self._client.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        kind: str = "application/json",
        params: Mapping[str, str] | None = None,
        timeouts: httpx.Timeout = TIMEOUTS,
        repeatable: bool = True,
    ) -> httpx.Response:
        headers = {"Content-Type": kind} if content is not None else {}
        pauses = list(PAUSES_S) if repeatable else []
        while True:
            try:
                answer = self._client.request(
                    method, path, content=content, params=params, headers=headers, timeout=timeouts
                )
                if answer.is_success:
                    return answer
                failure = _refused(answer)
                again = answer.status_code in _AGAIN
            except httpx.TimeoutException as error:
                slow = not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
                failure, again = Failure("backend_slow" if slow else "backend_down", self.url), True
            except httpx.TransportError as error:
                # The text of the error names the address and the system's reason, never what was sent.
                failure, again = Failure("backend_down", f"{self.url}: {error}"), True
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
                failure, again = Failure("backend_failed", f"{self.url} does not speak HTTP as it should"), False
            if not (again and pauses):
                raise failure from None
            self._pause(pauses.pop(0))


def check_url(url: str) -> str:
    """An address without a slash at its end; Failure `backend_open` for plain http beyond this computer."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise Failure("backend_failed", "the address must be like https://lights.example.org")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise Failure("backend_open", url)
    return url.rstrip("/").removesuffix("/api/v1")


def _refused(answer: httpx.Response) -> Failure:
    """The `Failure` for an answer that is no success. Problem documents name fields and never repeat what was sent."""
    status = answer.status_code
    fields = _problem(answer)
    detail = f"{status} {fields.get('detail', '')}".strip()[:300]
    errors = [error for error in fields.get("errors") or [] if isinstance(error, dict)]
    named = "; ".join(f"{error.get('field')}: {error.get('reason')}" for error in errors)[:300]
    if status == 401:
        return Failure("token_refused", detail)
    if status == 403:
        return Failure("token_scope", detail)
    if status == 409:
        code = next((_CONFLICTS[str(e.get("field"))] for e in errors if e.get("field") in _CONFLICTS), "lamp_known")
        return Failure(code, named or detail)
    if status in (400, 413, 422):
        return Failure("enrolment_refused", named or detail)
    if status in (408, 429):
        return Failure("backend_slow", detail)
    return Failure("backend_failed", detail)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if "json" not in answer.headers.get("Content-Type", ""):
        return {}
    try:
        fields = answer.json()
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _fields(answer: httpx.Response) -> dict[str, Any]:
    try:
        fields = answer.json()
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise Failure("backend_failed", "its answer is not JSON: is this the address of the API?")
    return fields


def _lamp_id(lamp: Any) -> int | None:
    found = lamp.get("id") if isinstance(lamp, dict) else None
    return found if isinstance(found, int) else None
