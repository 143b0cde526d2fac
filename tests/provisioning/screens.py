"""The screens of docs/technician.md, printed by the tool itself over a board in memory; and the table of codes.

`python -m tests.provisioning.screens` writes them into the page; a test compares.
"""

import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from provisioning import codes, procedure
from provisioning.batch_screen import TableScreen
from provisioning.child import Ended
from provisioning.errors import Failure
from provisioning.screen import RichScreen
from provisioning.station import Station
from tests.provisioning.bench import Bench, Cable

PAGE = Path(__file__).resolve().parents[2] / "docs" / "technician.md"


class Ticks:
    """A clock that goes on by 0.4 s whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.4
        return self.now


def screens() -> dict[str, str]:
    """What is printed, by the name that the page calls it."""
    return {
        "good": _single("en"),
        "good-vi": _single("vi"),
        "unplugged": _single("en", cut_after=6),
        "batch": _batch(),
        "codes": _codes(),
    }


def page(text: str) -> str:
    """`text` with every marked block as it is printed now."""
    for name, shown in screens().items():
        block = shown if name == "codes" else f"```\n{shown}```\n"
        marked = re.compile(rf"(<!-- screen: {name} -->\n).*?(<!-- end -->)", re.S)
        text, count = marked.subn(lambda match, block=block: match[1] + block + match[2], text)  # type: ignore[misc]
        assert count == 1, f"the page has no place for {name}"
    return text


def _single(language: str, cut_after: int | None = None) -> str:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        cable: Cable = bench.board.cable
        cable.cut_after = cut_after
        out = io.StringIO()
        screen = RichScreen(Console(file=out, width=100, highlight=False), language, Ticks())
        try:
            done = Station(bench.tools(), screen).run(procedure.provision(bench.request))
            screen.step("run", "done", endpoint=done.endpoint, asset_id=done.asset_id, serial=done.serial)
        except Failure:
            pass
        screen.close()
        return _trimmed(out)


def _batch() -> str:
    out = io.StringIO()
    screen = TableScreen(Console(file=out, width=140, highlight=False), "en")
    screen.ended(Ended("/dev/ttyUSB0", "24:6f:28:00:00:01", "", "Q1-0001", "SN1", took_s=41.2), 1, 40)
    detail = "meter: 0.3 W at full light, 80 W expected"
    failed = Ended("/dev/ttyUSB2", "24:6f:28:00:00:03", "", "Q1-0003", "SN3", "self_test_failed", detail, 37.9)
    screen.ended(failed, 1, 40)
    screen.ended(Ended("/dev/ttyUSB1", "24:6f:28:00:00:02", "", "Q1-0002", "SN2", took_s=43.0), 2, 40)
    return _trimmed(out)


def _codes() -> str:
    def rows() -> Iterator[str]:
        yield "| code | exit | what to do | việc cần làm |"
        yield "|---|---|---|---|"
        for code in sorted(codes.ALL.values(), key=lambda one: one.exit_status):
            yield f"| `{code.name}` | {code.exit_status} | {code.en} | {code.vi} |"

    return "\n".join(rows()) + "\n"


def _trimmed(out: io.StringIO) -> str:
    return "".join(line.rstrip() + "\n" for line in out.getvalue().strip("\n").splitlines())


def main(write: Callable[[str], object] = PAGE.write_text) -> None:
    write(page(PAGE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
