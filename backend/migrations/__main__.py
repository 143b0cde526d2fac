"""Write a revision from the difference between the models and the newest revision (for developers).

    python -m backend.migrations "Add the colour of lamps"
    python -m backend.migrations --initial

The first compares against a throw-away SQLite database that has all revisions; read what it wrote before you commit it.
The second writes 0001_initial.py again, which is only allowed until the first release.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import typer
from alembic import command

from backend.db import Database
from backend.migrations import make_config, upgrade

VERSIONS = Path(__file__).parent / "versions"


def write_revision(message: str) -> Path:
    """Write the next revision and return its path."""
    number = len(list(VERSIONS.glob("[0-9]*.py"))) + 1
    with tempfile.TemporaryDirectory() as directory:
        return _autogenerate(Path(directory), VERSIONS, message, f"{number:04d}", upgraded=True)


def write_initial() -> Path:
    """Write revision 0001 again, with every table there is."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        (place / "versions").mkdir()
        written = _autogenerate(place, place / "versions", "initial", "0001", upgraded=False)
        return Path(shutil.copy(written, VERSIONS / "0001_initial.py"))


def _autogenerate(place: Path, versions: Path, message: str, revision: str, *, upgraded: bool) -> Path:
    database = Database(f"sqlite:///{place}/compared.db")
    if upgraded:
        upgrade(database)
    with database.writing() as connection:
        config = make_config(connection)
        config.set_main_option("version_locations", str(versions).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.attributes["tables"] = True
        script = command.revision(config, message, autogenerate=True, rev_id=revision)
    database.close()
    assert script is not None and not isinstance(script, list)
    return Path(script.path)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] in {"-h", "--help"}:
        typer.echo(__doc__)
        return 2
    typer.echo(write_initial() if arguments[0] == "--initial" else write_revision(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
