"""What the commands beside the single board share: their options, and how they say what came of it."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from provisioning import screen_texts, state
from provisioning.errors import Failure, Refusals

if TYPE_CHECKING:
    from provisioning.journal import Journal

StateOption = Annotated[Path | None, typer.Option("--state", help="Folder of journal, ledger and labels.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines instead of a screen.")]
LanguageOption = Annotated[str | None, typer.Option(help="en or vi; else that of this computer.")]
OperatorOption = Annotated[
    str | None, typer.Option(help="Who holds the cable; else STREETLIGHT_OPERATOR or the account.")
]
WiringOption = Annotated[Path | None, typer.Option(help="board.json: what is soldered to which pin.")]
ServerPortOption = Annotated[int, typer.Option(min=1, max=65535, help="Its CoAP port (UDP).")]


class Output:
    """What a command says: a person's lines, or JSON ones."""

    def __init__(self, is_json: bool, language: str | None, folder: Path | None) -> None:
        self.is_json = is_json
        self.language = screen_texts.language_of(language)
        self.console = Console(highlight=False, soft_wrap=True)
        if folder is not None:
            os.environ[state.VARIABLE] = str(folder)

    def say(self, text: str, colour: str = "", **fields: Any) -> None:
        """`text` for a person, `fields` for a program."""
        if self.is_json:
            typer.echo(json.dumps(fields))
        else:
            self.console.print(Text(text, colour))

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Turn a Failure into its words and its exit status."""
        try:
            try:
                yield
            except KeyboardInterrupt:
                raise Failure("interrupted") from None
        except Failure as failure:
            self._end(failure)
            raise typer.Exit(failure.exit_status) from None

    def _end(self, failure: Failure) -> None:
        from provisioning.screen import told

        lines = failure.lines if isinstance(failure, Refusals) else ()
        if self.is_json:
            errors = {"errors": [{"line": line, "reason": reason} for line, reason in lines]} if lines else {}
            typer.echo(json.dumps({"step": "run", "state": "failed", **told(failure, self.language), **errors}))
            return
        code = screen_texts.word("code", self.language)
        self.console.print(Text(f"{code}: {failure.code}" + (f" ({failure.detail})" if failure.detail else ""), "red"))
        for line, reason in lines:
            self.console.print(Text(f"  {line}: {reason}"))
        self.console.print(Text(failure.advice(self.language)))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def open_journal(operator: str | None) -> "Journal":
    from provisioning.journal import Journal
    from provisioning.options import Wrong
    from provisioning.options import operator as who

    try:
        return Journal(state.folder(), who(operator), now_ms)
    except Wrong as error:
        raise typer.BadParameter(str(error)) from None
