"""The database's shape over time: one revision a change; `python -m backend.migrations` writes them.

Configured in code, so that it works from a wheel in any working directory. The whole upgrade is one transaction on
both databases, begun with a lock: of several processes that start together one upgrades, and the others wait and find
it done.
"""

import importlib
import pkgutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlmodel import SQLModel

import backend
from backend.db import Database

_ADVISORY_LOCK = 0x5354524C  # "STRL": any constant that nobody else uses in this database


class UnknownRevision(Exception):
    """The database is newer than the program."""


def all_tables() -> MetaData:
    """Every table of every `backend.*.models`; only writing and checking revisions needs it."""
    for module in pkgutil.iter_modules(backend.__path__):
        name = f"{backend.__name__}.{module.name}"
        if module.ispkg and find_spec(f"{name}.models") is not None:
            importlib.import_module(f"{name}.models")
    return SQLModel.metadata


def make_config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic treats % as an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> str:
    """Bring the database to the newest revision, which is returned; nothing happens when it is there already.

    Raises `UnknownRevision`, or what the database raises.
    """
    with database.writing() as connection:
        if not database.is_sqlite:  # SQLite's BEGIN IMMEDIATE is its lock
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        held = MigrationContext.configure(connection).get_current_revision()
        if held is not None and held not in _known():
            raise UnknownRevision(
                f"The database has revision {held} and this program knows {newest()}: "
                "it was used by a newer Streetlight. Install that one again, or restore the backup from before."
            )
        if held != newest():
            command.upgrade(make_config(connection), "head")
    return newest()


def newest() -> str:
    """The newest revision that this program knows."""
    return _known()[0]


@cache
def _known() -> tuple[str, ...]:
    """Newest first; read once, because it executes every revision's file."""
    return tuple(script.revision for script in ScriptDirectory.from_config(make_config()).walk_revisions())


def current(database: Database) -> str | None:
    """The database's revision; None when it has never been migrated."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()
