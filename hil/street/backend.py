"""The city's server as a child process, and the few calls that a street makes of its API."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from hil.street.walltime import WallTime

START_DEADLINE_S = 30.0


class BackendFailed(RuntimeError):
    """The backend did not start, or answered what it should not; the message says where its log is."""


class Backend:
    """`streetlight serve` on loopback with a database in `directory`; may be killed and started again."""

    def __init__(
        self,
        directory: Path,
        http_port: int,
        coap_port: int,
        wall: WallTime | None = None,
        database_url: str | None = None,
        environment: dict[str, str] | None = None,
    ):
        self.url = f"http://127.0.0.1:{http_port}"
        self.coap_port = coap_port
        self.log_file = directory / "backend.log"
        self._http_port = http_port
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,
            "STREETLIGHT_DATABASE_URL": database_url or f"sqlite:///{directory / 'streetlight.db'}",
            "STREETLIGHT_HTTP_HOST": "127.0.0.1",
            "STREETLIGHT_HTTP_PORT": str(http_port),
            "STREETLIGHT_COAP_HOST": "127.0.0.1",
            "STREETLIGHT_COAP_PORT": str(coap_port),
            **(environment or {}),
        }
        if wall is not None:
            self._environment |= {
                "STREETLIGHT_CLOCK_RATE": str(wall.rate),
                "STREETLIGHT_CLOCK_ANCHOR_NS": str(wall.anchor_ns),
                "STREETLIGHT_CLOCK_ANCHOR_UTC_MS": str(wall.anchor_utc_ms),
            }

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start and wait until it answers on /api/v1/health; raises BackendFailed."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "streetlight", "serve"],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment,
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/api/v1/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self.kill()
        raise BackendFailed(f"the backend did not start; its log is {self.log_file}:\n{self.log_tail()}")

    def command(self, *arguments: str) -> str:
        """Run another `streetlight` command against the same database; its standard output."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "streetlight", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise BackendFailed(
                f"`streetlight {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def kill(self) -> None:
        """SIGKILL: the machine lost power."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """SIGTERM and wait; SIGKILL after ten seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log_tail(self, lines: int = 20) -> str:
        text = self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Api:
    """The HTTP API with a token; a refusal becomes BackendFailed with the server's own words."""

    def __init__(self, url: str, token: str):
        self._client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=20,
            # Uvicorn closes a connection that rested for five seconds: one that is asked just then is reset.
            limits=httpx.Limits(keepalive_expiry=2.0),
        )

    def get(self, path: str, /, **parameters: Any) -> Any:
        return self._call("GET", path, params=parameters)

    def post(self, path: str, body: object) -> Any:
        return self._call("POST", path, json=body)

    def put(self, path: str, body: object) -> Any:
        return self._call("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def pages(self, path: str, /, **parameters: Any) -> list[Any]:
        """All items of a list, page after page."""
        items: list[Any] = []
        page = self.get(path, **parameters)
        items += page["items"]
        while page.get("next_cursor"):
            page = self.get(path, **{**parameters, "cursor": page["next_cursor"]})
            items += page["items"]
        return items

    def close(self) -> None:
        self._client.close()

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self._client.request(method, path, **arguments)
        if not answer.is_success:
            raise BackendFailed(f"{method} {path} was refused with {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None
