"""Firmware with a bug in it: a copy of the tree in which a few words are others."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Name: (what it breaks, file, the words, and what stands there instead).
BUGS: dict[str, list[tuple[str, str, str]]] = {
    "a fade takes 20 % too long": [
        (
            "firmware/lamp.py",
            "self._fade_ms = wish.fade_ms if self._key is not None else 0",
            "self._fade_ms = wish.fade_ms * 12 // 10 if self._key is not None else 0",
        )
    ],
    "a step is missed": [
        (
            "firmware/lamp.py",
            "        if not self._holds(plan, now_ms):\n",
            "        if plan is not None and plan[5] == 30 and plan[0] == self._program.revision and (\n"
            "            plan[2] <= now_ms < plan[2] + 59000\n"
            "        ):\n"
            "            wake_ms = min(wake_ms, rtc_ms + plan[2] + 59000 - now_ms)\n"
            "            plan = plan[:2] + [plan[2] + 60000] + plan[3:]\n"
            "        elif not self._holds(plan, now_ms):\n",
        )
    ],
    "a command is applied 400 ms late": [
        (
            "firmware/lamp.py",
            "        least = self.least(now_ms, rtc_ms, lux)\n        if wish.key != self._key:\n",
            "        received_ms = self.override.received_rtc_ms\n"
            "        if wish.rung == OVERRIDE and wish.key != self._key and rtc_ms - received_ms < 400:\n"
            "            self._wake_ms = received_ms + 400\n"
            "            return self.decision\n"
            "        least = self.least(now_ms, rtc_ms, lux)\n        if wish.key != self._key:\n",
        ),
        ("firmware/light.py", "        if self.refresh().fading:\n", "        if self.refresh():\n"),
    ],
    "a hung task stays hung": [("firmware/hal/__init__.py", "WATCHDOG_MS = 8000", "WATCHDOG_MS = 3600000")],
    "a command leaks 100 bytes": [
        # An override is two requests (the command, and whether the light follows) and its cancellation is one.
        (
            "firmware/app.py",
            "        self.client.heard()\n",
            "        self.client.heard()\n        LEAKED.append(bytes(66))\n",
        ),
        ("firmware/app.py", 'SEQUENCE = "sequence"\n', 'SEQUENCE = "sequence"\nLEAKED = []\n'),
    ],
}  # fmt: skip


def tree_with(bug: str, directory: Path) -> Path:
    """A folder with firmware/ and contract/ in which this bug is; AssertionError when the code has moved away."""
    for package in ("firmware", "contract"):
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, words, others in BUGS[bug]:
        path = directory / file
        text = path.read_text(encoding="utf-8")
        assert text.count(words) == 1, f"{file} has changed: plant {bug!r} anew"
        path.write_text(text.replace(words, others), encoding="utf-8")
    return directory
