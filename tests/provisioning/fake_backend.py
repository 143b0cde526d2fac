"""A backend behind httpx.MockTransport that keeps lamps and obeys the rules of the true one, its failures included."""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import httpx
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.signing import VerifyKey

TOKEN = "technician-of-hue"


class FakeBackend:
    """`troubles` are consumed one a request: an exception to raise, a status to answer, or "late": done, then lost."""

    def __init__(self) -> None:
        self.key = PrivateKey.generate()
        self.public = self.key.public_key.encode().hex()
        self.lamps: dict[str, dict[str, Any]] = {}
        self.stations: set[str] = set()
        self.troubles: list[Any] = []
        self.requests: list[tuple[str, str]] = []
        self.enrolments_made = 0

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.path))
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, Exception):
            raise trouble
        if isinstance(trouble, int):
            return problem(trouble, "the backend is in trouble")
        if isinstance(trouble, httpx.Response):
            return trouble
        answer = self._answer(request)
        if trouble == "late":
            raise httpx.ReadTimeout("the answer was lost")
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == "technician-of-another-city":
            return problem(403, "This token is for Vinh.")
        if token != TOKEN:
            return problem(401, "There is no such token.")
        routes: dict[tuple[str, str], Callable[[httpx.Request], httpx.Response]] = {
            ("POST", "/api/v1/enrolments"): self._enrol,
            ("POST", "/api/v1/enrolments/ledger"): self._ledger,
            ("POST", "/api/v1/enrolments/stations"): self._station,
            ("GET", "/api/v1/enrolments/key"): lambda _: httpx.Response(200, json={"public_key": self.public}),
            ("GET", "/api/v1/lamps"): self._find,
        }
        route = routes.get((request.method, request.url.path))
        return route(request) if route else problem(404, "There is no such path.")

    def _enrol(self, request: httpx.Request) -> httpx.Response:
        return self._take(json.loads(request.content))

    def _take(self, body: dict[str, Any]) -> httpx.Response:
        for name in ("master_secret", "master_salt", "sender_id", "endpoint"):
            if not body.get(name):
                return problem(422, "The request has fields that cannot be accepted", name, "is missing")
        serial = body.get("serial", "")
        if any(
            lamp.get("serial") == serial for name, lamp in self.lamps.items() if serial and name != body["endpoint"]
        ):
            return problem(409, "Taken.", "serial", "belongs to another lamp")
        held = self.lamps.get(body["endpoint"])
        keys = [body[name] for name in ("sender_id", "master_secret", "master_salt")]
        if held is not None and held["keys"] != keys and not body.get("replace"):
            return problem(409, "Lamp 1 with this endpoint has other keys.", "endpoint", "lamp 1 has other keys")
        status = 201 if held is None else 200
        if held is None or held["keys"] != keys:
            self.enrolments_made += 1
        lamp_id = held["id"] if held else len(self.lamps) + 1
        self.lamps[body["endpoint"]] = {**body, "keys": keys, "id": lamp_id}
        return httpx.Response(status, json={"sender_id": body["sender_id"], "lamp": {"id": lamp_id}})

    def _find(self, request: httpx.Request) -> httpx.Response:
        endpoint = request.url.params["endpoint"]
        retired = request.url.params["retired"] == "true"
        found = [lamp for name, lamp in self.lamps.items() if name == endpoint and bool(lamp.get("retired")) == retired]
        items = [
            {"id": lamp["id"], "endpoint": endpoint, "asset_id": lamp.get("asset_id", ""), "status": "online"}
            | ({"retired_at": "2026-01-01T00:00:00.000Z"} if retired else {"retired_at": None})
            for lamp in found
        ]
        return httpx.Response(200, json={"items": items, "next_cursor": None})

    def _station(self, request: httpx.Request) -> httpx.Response:
        self.stations.add(json.loads(request.content)["public_key"])
        return httpx.Response(201, json={})

    def _ledger(self, request: httpx.Request) -> httpx.Response:
        lines = request.content.splitlines()
        head = json.loads(lines[0])
        if head["station"] not in self.stations or head["backend"] != self.public:
            return problem(422, "The ledger cannot be taken.", "ledger", "its station or backend is not known here")
        items = []
        for number, line in enumerate(lines[1:], 2):
            fields = json.loads(line)
            signature = bytes.fromhex(fields.pop("signature"))
            signed = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            try:
                VerifyKey(bytes.fromhex(head["station"])).verify(signed, signature)
                body = json.loads(SealedBox(self.key).decrypt(b64decode(fields["sealed"])))
            except CryptoError:
                items.append({"line": number, "result": "refused", "code": "damaged", "endpoint": None})
                continue
            made = self.enrolments_made
            answer = self._take(body)
            result = "refused" if answer.is_error else "enrolled" if self.enrolments_made > made else "unchanged"
            code = "conflict" if answer.status_code == 409 else "invalid" if answer.is_error else None
            items.append({"line": number, "result": result, "code": code, "endpoint": body["endpoint"]})
        return httpx.Response(200, json={"items": items})


def problem(status: int, detail: str, field: str = "", reason: str = "") -> httpx.Response:
    errors = [{"field": field, "reason": reason}] if field else []
    body = {"status": status, "detail": detail, "advice": "...", "errors": errors}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})
