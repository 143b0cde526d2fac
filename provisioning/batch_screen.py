"""One line a port: a table that lives on a terminal, else a line for each board that ended, or JSON lines."""

import json
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from provisioning.child import Ended
from provisioning.codes import ALL
from provisioning.plate import Plate
from provisioning.screen_texts import step as title
from provisioning.screen_texts import word

_BAR = 16


class TableScreen:
    """For a person. `console` a terminal: the table is drawn anew at each change; else only what ended is printed."""

    def __init__(self, console: Console, language: str) -> None:
        self._console = console
        self._language = language
        self._lines: dict[str, tuple[str, str, str, str]] = {}  # port -> asset id, what, bar, colour
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(self.table(), console=console, auto_refresh=False)
            self._live.start()

    def tell(self, port: str, fields: dict[str, Any]) -> None:
        state = fields.get("state")
        if state in ("started", "running", "done") and fields.get("step") != "run":
            percent = fields.get("percent") if fields.get("total") else None
            bar = "" if not isinstance(percent, int | float) else "█" * round(_BAR * percent / 100)
            asset_id = self._lines.get(port, ("",))[0] if fields.get("step") != "detect" else ""
            self._set(
                port, asset_id, title(str(fields.get("step")), self._language), bar.ljust(_BAR, "░") if bar else ""
            )

    def assigned(self, port: str, plate: Plate) -> None:
        self._set(port, plate.asset_id, title("read", self._language), "")

    def ended(self, ended: Ended, finished: int, total: int) -> None:
        language = self._language
        if not ended.has_work:
            self._set(ended.port, "", word("swap" if ended.is_good else "no_work", language), "", "dim")
            return
        if ended.code:
            what, colour = f"{word('keep_apart', language)}: {ended.code}", "red"
        else:
            what, colour = word("swap", language), "green"
        self._set(ended.port, ended.asset_id, what, "", colour)
        count = f"{finished} {word('of', language)} {total}"
        mark = "✗" if ended.code else "✓"
        line = f"{mark} {ended.port}  {ended.asset_id or ended.mac or '-'}  {what}  {ended.took_s:.1f} s  {count}"
        self._console.print(Text(line, colour), soft_wrap=True)
        if ended.code:
            for text in (ended.detail, ALL[ended.code].advice(language) if ended.code in ALL else ""):
                if text:
                    self._console.print(Text(f"    {text}"), soft_wrap=True)

    def gone(self, port: str) -> None:
        self._set(port, "", word("waiting", self._language), "", "dim")

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()

    def table(self) -> Table:
        """The lines as they are now."""
        table = Table.grid(padding=(0, 2))
        for port, (asset_id, what, bar, colour) in sorted(self._lines.items()):
            table.add_row(Text(port), Text(asset_id, "bold"), Text(what, colour), Text(bar, "green"))
        return table

    def _set(self, port: str, asset_id: str, what: str, bar: str, colour: str = "") -> None:
        self._lines[port] = (asset_id, what, bar, colour)
        if self._live is not None:
            self._live.update(self.table(), refresh=True)


class JsonLines:
    """The children's lines with `port` added, `assigned`, and one step `board` for each that ended."""

    def __init__(self, out: TextIO, language: str) -> None:
        self._out = out
        self._language = language

    def tell(self, port: str, fields: dict[str, Any]) -> None:
        self._line({"port": port, **fields})

    def assigned(self, port: str, plate: Plate) -> None:
        self._line({"port": port, "step": "assigned", "state": "done", "asset_id": plate.asset_id})

    def ended(self, ended: Ended, finished: int, total: int) -> None:
        fields: dict[str, Any] = {"port": ended.port, "step": "board", "state": "failed" if ended.code else "done"}
        if not ended.has_work:
            fields["state"] = "skipped"
        fields |= {"mac": ended.mac, "asset_id": ended.asset_id, "serial": ended.serial, "endpoint": ended.endpoint}
        fields |= {"code": ended.code, "detail": ended.detail, "took_s": round(ended.took_s, 1)}
        if ended.code in ALL:
            fields["advice"] = ALL[ended.code].advice(self._language)
        self._line(fields | {"finished": finished, "total": total})

    def gone(self, port: str) -> None:
        self._line({"port": port, "step": "swap", "state": "done"})

    def close(self) -> None:
        self._out.flush()

    def _line(self, fields: dict[str, Any]) -> None:
        # One write a line: the threads of several ports tell at once.
        self._out.write(json.dumps(fields) + "\n")
        self._out.flush()
