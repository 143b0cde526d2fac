"""The single-board command as a batch sees it, over a board that is a JSON file at the port's path.

Run as `python fake_child.py PORT STATE`. The board: {"mac", "sealed", "fail": a code, "at": "hang" or "crash"}. It
obeys the rules of the true one: nothing is written before the plate came, a sealed board is refused, the journal holds
what was done.
"""

import json
import os
import sys
import time
from pathlib import Path

from provisioning.errors import Failure
from provisioning.journal import Journal
from provisioning.plate import read


def keep(port: Path, board: dict[str, object]) -> None:
    new = port.with_suffix(".new")
    new.write_text(json.dumps(board))
    new.replace(port)


def main(port: Path, state: Path) -> int:
    journal = Journal(state, "anna", lambda: 1_795_410_680_123)

    def say(**fields: object) -> None:
        print(json.dumps({"bytes": 0, "total": 0, "percent": 0.0, **fields}), flush=True)

    def fail(step: str, code: str) -> int:
        failure = Failure(code, "as planned")
        say(step=step, state="failed", code=code, exit_status=failure.exit_status, detail=failure.detail)
        return failure.exit_status

    board = json.loads(port.read_text())
    if board.get("fail") == "no_sync":
        return fail("detect", "no_sync")
    mac = board["mac"]
    say(step="detect", state="done", mac=mac, chip="esp32")
    line = sys.stdin.readline().strip()
    if not line:
        return fail("detect", "interrupted")
    plate = read(json.loads(line))
    if board.get("sealed"):
        return fail("read", "already_sealed")
    endpoint = f"urn:dev:mac:{mac.replace(':', '')}"
    board["writes"] = board.get("writes", 0) + 1
    keep(port, board)
    journal.append("drawn", mac=mac, asset_id=plate.asset_id, serial=plate.serial, endpoint=endpoint)
    for place in range(0, 101, 20):
        say(step="base", state="running", bytes=place, total=100, percent=float(place))
    if board.get("at") == "crash":
        print("Traceback: the tool is broken", file=sys.stderr, flush=True)
        os._exit(1)
    if board.get("at") == "hang":
        time.sleep(60)
    if board.get("fail"):
        journal.append("failed", mac=mac, code=board["fail"], detail="as planned")
        return fail("base", board["fail"])
    journal.append("sealed", mac=mac)
    journal.append("labelled", mac=mac)
    board["sealed"] = True
    keep(port, board)
    say(step="run", state="done", percent=100.0, mac=mac, endpoint=endpoint, asset_id=plate.asset_id)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
