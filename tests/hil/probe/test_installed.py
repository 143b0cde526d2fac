"""The commands of docs/bench.md put the whole program on a probe.

mpremote's own main copies it onto littlefs in the VM; what was copied, and nothing else, answers.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mpremote.main
import pytest

from hil.probe import wire
from tests.firmware.hal import vm
from tests.hil.probe.flash import Flash

ROOT = Path(__file__).resolve().parents[3]
CHIP = Path(__file__).with_name("esp32_modules")


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[Flash]:
    flash = Flash(tmp_path)
    yield flash
    flash.end()


def commands(chip: str, folder: Path) -> list[str]:
    """Those of the page for a Pico, or changed as it says for an ESP32; `folder` stands for /tmp."""
    page = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    found = re.search(r"Install the probe from a checkout.*?```\n(.*?)```", page, re.S)
    assert found is not None
    text = found[1].replace("/tmp/", f"{folder}/").replace("pio.py", f"{chip}.py").replace("probe.pio", f"probe.{chip}")
    return [line.strip() for line in text.splitlines() if line.strip()]


def type_in(lines: list[str], flash: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    """mpremote's commands reach the flash, by mpremote's own main; the others are the shell's. From a checkout."""

    class State(mpremote.main.State):  # type: ignore[misc]
        def ensure_connected(self) -> None:
            self.transport = flash

    monkeypatch.setattr(mpremote.main, "State", State)
    monkeypatch.setattr("mpremote.main.do_disconnect", lambda *_: None)
    monkeypatch.chdir(ROOT)
    for line in lines:
        words = shlex.split(line)
        if words[0] == "mpremote":
            monkeypatch.setattr(sys, "argv", words)
            assert mpremote.main.main() == 0, line
        else:
            subprocess.run(["bash", "-c", line], check=True)


@pytest.mark.parametrize("chip", ["pio", "esp32"])
def test_the_commands_put_the_whole_program_on_a_probe(
    chip: str, flash: Flash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(commands(chip, tmp_path), flash, monkeypatch)
    assert "machine.reset()" in flash.asked[-1]
    files = flash.files()
    modules = {"__init__", "wire", "stream", "program", chip}
    assert files.keys() == {f"hil/probe/{module}.py" for module in modules} | {"hil/__init__.py", "main.py"}
    assert all(content == (ROOT / path).read_bytes() for path, content in files.items() if path != "main.py")
    assert files["main.py"] == f"from hil.probe.{chip} import main; main()\n".encode()


def test_the_program_as_it_was_copied_answers_and_goes_to_its_prompt(
    flash: Flash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an ESP32 whose pins are a stand-in; nothing but what was copied is there to import."""
    type_in(commands("esp32", tmp_path), flash, monkeypatch)
    board = tmp_path / "board"
    for path, content in flash.files().items():
        (board / path).parent.mkdir(parents=True, exist_ok=True)
        (board / path).write_bytes(content)
    done = subprocess.run(
        [*vm.VM, "main.py"],
        cwd=board,
        input=wire.encode(wire.ASK_HELLO, 0, 0) + wire.encode(wire.ASK_QUIT, 0, 0),
        env={**os.environ, "MICROPYPATH": f"{board}:{CHIP}:.frozen"},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (hello,) = wire.Receiver().feed(done.stdout)
    assert hello[0] == wire.HELLO
    assert b"esp32-irq 0102" in hello[3]
