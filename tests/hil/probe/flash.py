"""A chip's file system for mpremote: littlefs in the MicroPython VM, behind mpremote's own way of copying.

mpremote's `Transport` says all it does to a board by `exec` and `eval`; here they go to the VM. No port, no raw REPL.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpremote.transport import Transport, TransportExecError

from tests.firmware.hal import vm

SERVE = """
import os, sys, vfs
class Blocks:
    def __init__(self): self.data = bytearray(512 * 400)
    def readblocks(self, block, buffer, at=0):
        start = block * 512 + at
        buffer[:] = self.data[start:start + len(buffer)]
    def writeblocks(self, block, buffer, at=0):
        start = block * 512 + at
        self.data[start:start + len(buffer)] = buffer
    def ioctl(self, op, argument): return {4: 400, 5: 512}.get(op, 0)
blocks = Blocks()
vfs.VfsLfs2.mkfs(blocks)
vfs.mount(vfs.VfsLfs2(blocks), "/flash")
os.chdir("/flash")
names = {}
while True:
    line = sys.stdin.readline()
    if not line:
        break
    error = ""
    try:
        exec(json.loads(line), names)
    except Exception as caught:
        import io
        told = io.StringIO()
        sys.print_exception(caught, told)
        error = told.getvalue()
    print()
    tell([error])
"""


class Flash(Transport):  # type: ignore[misc]
    """A board with an empty file system. `asked` is all code that it was sent."""

    in_raw_repl = True
    mounted = False
    device_name = "flash"

    def __init__(self, cwd: Path) -> None:
        self.asked: list[str] = []
        self._process = subprocess.Popen(
            vm.command(SERVE, "1024wK"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd,
            env=vm.environment(),
        )  # fmt: skip

    def exec(self, command: str, data_consumer: Callable[[bytes], None] | None = None) -> bytes:
        assert self._process.stdin is not None and self._process.stdout is not None
        self.asked.append(command)
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        lines = [self._process.stdout.readline()]
        while not lines[-1].startswith("["):
            assert lines[-1], "the VM ended"
            lines.append(self._process.stdout.readline())
        (error,) = json.loads(lines.pop())
        if error:
            raise TransportExecError(1, error)
        out = "".join(lines)[:-1].encode()
        if data_consumer is not None:
            data_consumer(out)
        return out

    def eval(self, expression: str) -> Any:
        return eval(self.exec(f"print(repr({expression}))").strip())

    def enter_raw_repl(self, soft_reset: bool = True) -> None:
        pass

    def exit_raw_repl(self) -> None:
        pass

    def exec_raw_no_follow(self, command: str) -> None:
        self.asked.append(command if isinstance(command, str) else bytes(command).decode())

    def close(self) -> None:
        """mpremote closes after each command line; the flash stays."""

    def files(self, folder: str = "") -> dict[str, bytes]:
        found = {}
        for entry in self.fs_listdir(folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            found |= self.files(path) if entry.st_mode & 0x4000 else {path: bytes(self.fs_readfile(path))}
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
