"""One simulated board: `python -m tests.provisioning.board --chip esp32 --state DIR --link PATH`.

DIR keeps the flash and the fuses, PATH is where the board's serial port appears. With `--control` commands come as JSON
lines on standard input, and the board ends with it; what happens is told as JSON lines on standard output.
"""

import argparse
import json
import math
import os
import select
import signal
import sys
from pathlib import Path

from tests.provisioning.board import chips, faults
from tests.provisioning.board.efuses import Efuses
from tests.provisioning.board.line import Line
from tests.provisioning.board.machine import Machine, Parts
from tests.provisioning.board.nor import Nor
from tests.provisioning.board.program import Program
from tests.provisioning.board.registers import Registers

MB = 1024 * 1024
HOST_LOOK_S = 0.005  # how often a closed port is looked at


class Runner:
    """The loop: waits for the host, the program and the controller, and lets the machine act."""

    def __init__(self, options):
        folder = Path(options.state)
        folder.mkdir(parents=True, exist_ok=True)
        chip = chips.ALL[options.chip]
        self._nor = Nor(folder / "flash.bin", options.flash_mb * MB, options.seed)
        self._efuses = Efuses(folder / "efuses.bin", chip, bytes.fromhex(options.mac.replace(":", "")))
        registers = Registers(chip, self._efuses, self._nor.size)
        parts = Parts(chip, self._nor, registers, self._efuses)
        self._line = Line(options.link)
        self._faults = faults.Faults(self._nor, registers, options.seed)
        self._program = Program(parts, folder, self._say, self._tell)
        self._machine = Machine(parts, self._line, self._faults, self._program, self._tell)
        for text in options.fault:
            self._faults.set(text)
        self._control = sys.stdin.fileno() if options.control else None
        self._commands = self._printed = b""

    def _say(self, data):
        """What the program prints: to the host, and line by line to the controller."""
        self._line.write(data)
        *lines, self._printed = (self._printed + data).split(b"\n")
        for line in lines:
            self._tell("printed", text=line.decode(errors="replace").rstrip())

    def _tell(self, event, **facts):
        print(json.dumps({"event": event, **facts}), flush=True)

    def run(self):
        self._machine.power_on()
        while True:
            self._look_for_host()
            ready = self._wait()
            if self._control in ready and not self._obey():
                break
            if self._line.is_plugged and self._line.master in ready:
                self._serve_line()
            self._program.serve(ready)

    def close(self):
        self._machine.power_off()
        self._nor.close()

    def _wait(self):
        """The files that have something. The list is made anew each time: the number of a closed file is used again."""
        poll = select.poll()
        for file in [self._control, *self._program.filenos()]:
            if file is not None:
                poll.register(file, select.POLLIN)
        times = [self._program.wakes_in_s()]
        if self._line.is_open:
            poll.register(self._line.master, select.POLLIN | (select.POLLOUT if self._line.has_waiting else 0))
        elif self._line.is_plugged:
            times.append(HOST_LOOK_S)
        soonest_s = min((at for at in times if at is not None), default=None)
        return {file for file, _ in poll.poll(None if soonest_s is None else math.ceil(soonest_s * 1000))}

    def _look_for_host(self):
        if self._line.is_plugged and not self._line.is_open:
            data = self._line.read()
            if data is not None:
                self._line.is_open = True
                if data:
                    self._machine.receive(data)

    def _serve_line(self):
        self._line.flush()
        data = self._line.read()
        if data is None:
            self._machine.host_left()
        elif data:
            self._machine.receive(data)

    def _obey(self):
        """Do what the controller asks; False at the end of its commands."""
        data = os.read(self._control, 65536)
        if not data:
            return False
        *lines, self._commands = (self._commands + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            try:
                self._act(request)
                self._tell("done", id=request["id"])
            except (ValueError, KeyError) as error:
                self._tell("done", id=request["id"], error=str(error))
        return True

    def _act(self, request):
        action = request["do"]
        if action == "plug" and not self._line.is_plugged:
            self._machine.power_on()
        elif action == "unplug" and self._line.is_plugged:
            self._machine.power_off()
        elif action == "fault":
            self._faults.set(request["fault"])
        elif action == "clear":
            self._faults.clear()
        elif action == "burn":
            self._efuses.burn(request["fuse"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chip", choices=sorted(chips.ALL), default="esp32")
    parser.add_argument("--state", required=True, help="folder of the flash and the fuses")
    parser.add_argument("--link", required=True, help="where the serial port appears")
    parser.add_argument("--mac", default="24:0a:c4:00:be:ef")
    parser.add_argument("--flash-mb", type=int, default=4, choices=[1, 2, 4, 8, 16])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[], help="see faults.py; may be repeated")
    parser.add_argument("--control", action="store_true", help="take commands from standard input")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    runner = Runner(options)
    try:
        runner.run()
    finally:
        runner.close()


if __name__ == "__main__":
    main()
