"""The database's shape: reached by revisions, equal to the models, upgraded once however many start together."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from backend import migrations
from backend.db import Database
from backend.migrations import __main__ as writer


def test_the_revisions_lead_to_exactly_the_models(database: Database) -> None:
    """When this fails: python -m backend.migrations "What changed"."""
    tables = migrations.all_tables()
    with database.reading() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), tables)
    assert difference == []


def test_an_upgrade_starts_from_nothing_and_a_second_one_changes_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert migrations.current(database) is None
    assert migrations.upgrade(database) == migrations.newest() == migrations.current(database)
    assert migrations.upgrade(database) == migrations.newest()
    database.close()


def test_processes_that_start_together_upgrade_once(empty_database_url: str) -> None:
    databases = [Database(empty_database_url, worker_threads=1, timeout_s=30) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(migrations.upgrade, databases)) == {migrations.newest()}
    with databases[0].reading() as connection:
        assert "lamp" in inspect(connection).get_table_names()
    for database in databases:
        database.close()


def test_the_way_back_leaves_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrations.upgrade(database)
    with database.writing() as connection:
        command.downgrade(migrations.make_config(connection), "base")
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.close()


def test_a_developer_writes_the_next_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(writer.VERSIONS, tmp_path / "versions", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(writer, "VERSIONS", tmp_path / "versions")
    number = len(list(writer.VERSIONS.glob("0*.py"))) + 1
    assert writer.main(["Add the colour of lamps"]) == 0
    written = Path(capsys.readouterr().out.splitlines()[-1])
    assert written.parent == writer.VERSIONS
    text_of = written.read_text()
    assert f"revision = '{number:04d}'" in text_of
    assert f"down_revision = '{number - 1:04d}'" in text_of
    # The models and the revisions say the same, so that there is nothing to do.
    assert "op." not in text_of.replace("from alembic import op", "")


@pytest.mark.parametrize("words", [[], ["--initial"], ["one", "two"]])
def test_a_developer_who_errs_is_told_how(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert writer.main(words) == 2
    assert "for developers" in capsys.readouterr().out


def test_a_database_of_a_newer_program_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(migrations.UnknownRevision, match="newer Streetlight"):
            migrations.upgrade(database)
        assert migrations.current(database) == "9999"
    finally:
        with database.writing() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{migrations.newest()}'"))


def test_a_failed_upgrade_leaves_nothing_behind(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE zone (other INTEGER)"))
    with pytest.raises(DBAPIError):
        migrations.upgrade(database)
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == ["zone"]
    database.close()


@pytest.mark.parametrize("statement", ["DELETE FROM audit_entry", "UPDATE audit_entry SET actor = 'nobody'"])
def test_the_database_refuses_to_change_the_audit_trail(database: Database, statement: str) -> None:
    with database.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_entry (at_ms, actor, role, method, path, object, detail) "
                "VALUES (1, 'a', 'admin', 'POST', '/', '', '')"
            )
        )
    with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
        connection.execute(text(statement))
