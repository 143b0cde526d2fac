"""The command line `streetlight`: the products' commands under one name, and nothing else."""

import typer

from backend.cli import commands as backend_commands
from hil.cli import commands as hil_commands
from provisioning.cli import commands as provisioning_commands

app = typer.Typer(
    name="streetlight",
    help="Open, self-hosted street lighting: backend, provisioning, simulated street, bench.",
    no_args_is_help=True,
    add_completion=False,
)
for commands in (backend_commands, provisioning_commands, hil_commands):
    app.registered_commands += commands.registered_commands
    app.registered_groups += commands.registered_groups


def main() -> None:
    app()


if __name__ == "__main__":
    main()
