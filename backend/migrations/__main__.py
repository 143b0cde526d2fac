"""Write a revision from the difference between the models and the newest revision (for developers).

    python -m backend.migrations "Add the colour of lamps"

It compares against a throw-away SQLite database that has all revisions. Read what it wrote before you commit it.
"""

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
        database = Database(f"sqlite:///{directory}/compared.db")
        upgrade(database)
        with database.writing() as connection:
            config = make_config(connection)
            config.set_main_option("version_locations", str(VERSIONS).replace("%", "%%"))
            config.set_main_option("path_separator", "newline")
            config.attributes["tables"] = True
            script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
        database.close()
    assert script is not None and not isinstance(script, list)
    return Path(script.path)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        typer.echo(__doc__)
        return 2
    typer.echo(write_revision(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
