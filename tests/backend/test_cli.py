"""The backend's commands."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from backend import migrations
from backend.access import service
from backend.access.models import Role
from backend.cli import commands
from backend.db import Database

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(commands, list(arguments))

    return invoke


def test_a_token_is_made_and_printed_once(run: Run, database_url: str, database: Database) -> None:
    made = run("token", "create", "--name", "console", "--role", "operator", "--database", database_url)
    assert made.exit_code == 0, made.output
    text = made.output.strip()
    assert re.fullmatch(r"slt_[0-9a-f]{8}_[0-9a-f]{64}", text)
    with database.session(writes=False) as session:
        actor = service.authenticate(session, text, 10**13)
    assert (actor.name, actor.role) == ("console", Role.OPERATOR)
    listed = run("token", "list", "--database", database_url).output
    prefix, secret = text.split("_")[1:]
    assert prefix in listed and "console" in listed and "operator" in listed
    assert secret not in listed


def test_a_token_is_revoked_by_its_prefix_or_its_text(run: Run, database_url: str) -> None:
    for whole in (False, True):
        text = run("token", "create", "--name", "x", "--role", "viewer", "--database", database_url).output.strip()
        revoked = run("token", "revoke", text if whole else text.split("_")[1], "--database", database_url)
        assert revoked.exit_code == 0, revoked.output
        assert text.split("_")[2] not in revoked.output
    assert run("token", "revoke", "00000000", "--database", database_url).exit_code == 2


def test_what_the_command_line_did_is_in_the_audit_trail(run: Run, database_url: str, database: Database) -> None:
    run("token", "create", "--name", "x", "--role", "admin", "--expires-days", "3", "--database", database_url)
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT actor, path, detail FROM audit_entry").all()
    assert [tuple(row) for row in rows] == [("command line", "token create", "x, admin")]


def test_bad_options_end_with_a_reason_and_no_traceback(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    cases = {
        "choose one of viewer": ("token", "create", "--name", "x", "--role", "king", "--database", url),
        "1 to 36500": ("token", "create", "--name", "x", "--role", "viewer", "--expires-days", "0", "--database", url),
        "database_url": ("migrate", "--database", "mysql://x"),
        "Check --database": ("migrate", "--database", "postgresql://nobody@/x?host=/nowhere"),
        "cannot be used": ("token", "list", "--database", f"sqlite:///{tmp_path}/missing/x.db"),
        "--log-level": ("serve", "--database", url, "--log-level", "loud"),
        "http_port": ("serve", "--database", url, "--port", "70000"),
    }
    for reason, arguments in cases.items():
        result = run(*arguments)
        assert result.exit_code == 2, (arguments, result.output)
        assert result.stderr.startswith("error: ") and reason in result.stderr, (reason, result.stderr)
        assert "Traceback" not in result.output


def test_migrate_says_what_it_did(run: Run, empty_database_url: str) -> None:
    assert run("migrate", "--database", empty_database_url).output == f"revision none -> {migrations.newest()}\n"
    assert "nothing to do" in run("migrate", "--database", empty_database_url).output


def test_the_version_is_printed(run: Run) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", run("version").output)


def test_help_imports_nothing_heavy() -> None:
    """`streetlight --help` and the other products' commands must not wait for the backend's libraries."""
    heavy = "{'fastapi', 'sqlalchemy', 'sqlmodel', 'aiocoap', 'alembic', 'uvicorn', 'pydantic'}"
    script = f"import sys, backend.cli; sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`streetlight serve` as a process of its own, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = "import typer, backend.cli; backend.cli.commands()"
    options = ["serve", "--port", str(port), "--coap-host", "127.0.0.1", "--coap-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *options, "--database", f"sqlite:///{tmp_path}/served.db"],
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.communicate()


def test_serve_upgrades_answers_and_ends_politely(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    deadline = time.monotonic() + 30
    while True:
        try:
            health = httpx.get(f"{address}/api/v1/health")
            break
        except httpx.ConnectError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    assert health.json()["status"] == "ok"
    assert httpx.get(f"{address}/api/v1/lamps").status_code == 401
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert "database ready dialect=sqlite" in log
    assert "Traceback" not in log
    assert process.returncode in {0, -signal.SIGTERM}


def test_a_command_needs_nothing_that_only_the_server_loads(tmp_path: Path) -> None:
    """In a process of its own: here every table is known already, and a missing import would not be seen."""
    words = ["--database", f"sqlite:///{tmp_path}/city.db"]

    def alone(*command: str) -> str:
        start = "import sys; from backend.cli import commands; commands(sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", start, *command, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = alone("token", "create", "--name", "x", "--role", "viewer").strip()
    assert text.split("_")[1] in alone("token", "list")
    assert "is revoked" in alone("token", "revoke", text)
