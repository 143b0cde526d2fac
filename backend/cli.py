"""The backend's commands. Heavy modules are imported inside them, so that `streetlight --help` answers at once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Optional

import typer

if TYPE_CHECKING:
    from backend.db import Database
    from backend.settings import Settings

commands = typer.Typer()
token_commands = typer.Typer(help="API tokens: make, list, revoke.", no_args_is_help=True)
commands.add_typer(token_commands, name="token")

DatabaseOption = Annotated[
    Optional[str], typer.Option("--database", help="sqlite:///file.db or postgresql://user:password@host/name")  # noqa: UP045
]


@commands.command()
def serve(
    host: Annotated[Optional[str], typer.Option(help="HTTP address.")] = None,  # noqa: UP045
    port: Annotated[Optional[int], typer.Option(help="HTTP port.")] = None,  # noqa: UP045
    coap_host: Annotated[Optional[str], typer.Option(help="CoAP address.")] = None,  # noqa: UP045
    coap_port: Annotated[Optional[int], typer.Option(help="CoAP port (UDP).")] = None,  # noqa: UP045
    database: DatabaseOption = None,
    allow_insecure: Annotated[bool, typer.Option(help="Laboratory only: serve lamps without OSCORE.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run the backend: HTTP API, CoAP server and workers, until Ctrl-C. Options win over STREETLIGHT_... variables."""
    import uvicorn

    from backend.app import create_app

    settings = _settings(
        http_host=host,
        http_port=port,
        coap_host=coap_host,
        coap_port=coap_port,
        database_url=database,
        allow_insecure=allow_insecure or None,
    )
    _start_log(log_level)
    if settings.allow_insecure:
        logging.getLogger(__name__).warning("lamps without OSCORE are served: laboratory only")
    config = uvicorn.Config(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.graceful_shutdown_s,
    )
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        raise typer.Exit(1)


@commands.command()
def migrate(database: DatabaseOption = None) -> None:
    """Bring the database to the newest revision. `serve` does it too, at its start."""
    from backend import migrations

    with _open(database) as opened:
        before = migrations.current(opened)
        after = migrations.upgrade(opened)
    typer.echo(f"revision {after}, nothing to do" if before == after else f"revision {before or 'none'} -> {after}")


@commands.command()
def version() -> None:
    """Print the version."""
    from backend.health import get_version

    typer.echo(get_version())


@token_commands.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="Who or what will use it.")],
    role: Annotated[
        str, typer.Option(help="viewer, operator, technician or admin; each may do what those before may.")
    ],
    expires_days: Annotated[Optional[int], typer.Option(help="Days until it ends; without it, it does not.")] = None,  # noqa: UP045
    expires_hours: Annotated[Optional[int], typer.Option(help="Hours until it ends: a shift has 12.")] = None,  # noqa: UP045
    city: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="A zone without a parent: the technician reaches only its lamps."),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Make a token and print it: the only time that anybody sees it."""
    from backend.access import service
    from backend.audit.service import record_command
    from backend.clock import Clock
    from backend.errors import StreetlightError
    from backend.zones import service as zones

    now_ms = Clock().real_ms()
    with _open(database, upgrade=True) as opened, opened.session(writes=True) as session:
        try:
            city_id = None if city is None else zones.find_city(session, city)
            token, text = service.create(session, now_ms, name, role, expires_days, expires_hours, city_id)
        except StreetlightError as error:
            _fail(error.detail)
        what = f"{token.name}, {token.role}" + ("" if city is None else f", {city}")
        record_command(session, now_ms, "token create", f"token:{token.prefix}", what)
    typer.echo(text)


@token_commands.command("list")
def list_tokens(database: DatabaseOption = None) -> None:
    """List tokens by prefix; the rest of a token is known to nobody but its owner."""
    from backend.access import service

    with _open(database, upgrade=True) as opened, opened.session(writes=False) as session:
        rows: list[tuple[str, ...]] = [("PREFIX", "ROLE", "CREATED", "LAST USED", "EXPIRES", "REVOKED", "NAME")]
        for token in service.list_tokens(session):
            times = (token.created_at_ms, token.last_used_at_ms, token.expires_at_ms, token.revoked_at_ms)
            rows.append((token.prefix, token.role, *map(_day, times), token.name))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@token_commands.command("revoke")
def revoke_token(
    prefix: Annotated[str, typer.Argument(help="As `token list` shows it.")], database: DatabaseOption = None
) -> None:
    """Make a token useless from now on."""
    from backend.access import service
    from backend.audit.service import record_command
    from backend.clock import Clock
    from backend.errors import StreetlightError

    now_ms = Clock().real_ms()
    with _open(database, upgrade=True) as opened, opened.session(writes=True) as session:
        try:
            token = service.revoke(session, prefix.removeprefix(f"{service.MARK}_").partition("_")[0], now_ms)
        except StreetlightError as error:
            _fail(f"{error.detail} {error.advice}")
        record_command(session, now_ms, "token revoke", f"token:{token.prefix}", token.name)
        typer.echo(f"{token.prefix} ({token.name}) is revoked")


@contextmanager
def _open(url: str | None, upgrade: bool = False) -> "Iterator[Database]":
    """The database for one command; what is wrong with it is said in one line."""
    from sqlalchemy.exc import SQLAlchemyError

    from backend import migrations
    from backend.db import Database

    settings = _settings(database_url=url)
    database = Database(settings.database_url, 1, settings.database_timeout_s)
    try:
        if upgrade:
            migrations.upgrade(database)
        yield database
    except SQLAlchemyError as error:
        _fail(f"The database cannot be used: {getattr(error, 'orig', None) or error}. Check --database.")
    except migrations.UnknownRevision as error:
        _fail(str(error))
    finally:
        database.close()


def _settings(**given: Any) -> "Settings":
    """Settings with the options that were given; a bad one ends the command with its name and reason."""
    from pydantic import ValidationError

    from backend.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        _fail("; ".join(reasons))


def _start_log(level: str) -> None:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        _fail("--log-level: choose debug, info, warning or error")
    logging.basicConfig(level=number, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _day(at_ms: int | None) -> str:
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _fail(reason: str) -> NoReturn:
    typer.echo(f"error: {reason}", err=True)
    raise typer.Exit(2)
