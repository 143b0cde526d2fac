"""The loader in the chip's ROM, over the serial port. The one user of esptool.

esptool keeps its log, and so its progress, in one place for the whole process: one process a port. It is
GPL-2.0-or-later and comes with the extra `provisioning` only. Its errors become `Failure` here.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from provisioning import chips
from provisioning.base_image import Segment
from provisioning.chips import Found
from provisioning.errors import Failure

try:
    import esptool
    from esp_pylib.logger import EspLog, EspLogBase
    from esptool import cmds
    from esptool.util import flash_size_bytes
except ImportError as error:
    raise Failure("tool_missing", "esptool") from error

Progress = Callable[[int, int], None]
"""Told how much of how much is done."""

FAST_BAUD = 460_800
_ROM_BAUD = 115_200
_CONNECT_ATTEMPTS = 4


class _Log(EspLogBase):
    """Hears esptool's progress and keeps its words from the terminal."""

    listener: Progress | None = None

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", bar_length: int = 30
    ) -> None:
        if self.listener is not None:
            self.listener(cur_iter, total_iters)

    def print(self, *args: Any, **kwargs: Any) -> None: ...
    def err(self, *args: Any, suggestion: str | None = None) -> None: ...
    def warn(self, *args: Any, suggestion: str | None = None) -> None: ...
    def note(self, *args: Any) -> None: ...
    def hint(self, *args: Any) -> None: ...
    def debug(self, *args: Any) -> None: ...
    def set_verbosity(self, mode: int | str) -> None: ...


_LOG = _Log()


class Flasher:
    """An open port with a chip that listens. Made by `open_chip`; `close` it before anybody else opens the port."""

    def __init__(self, port: str, loader: Any, found: Found) -> None:
        self._port = port
        self._loader = loader
        self.found = found

    def read(self, address: int, size: int, progress: Progress | None = None) -> bytes:
        """The bytes of the flash."""
        with _translated(self._port, "write_failed", progress):
            data: bytes = cmds.read_flash(self._loader, address, size) or b""
            return data

    def erase(self, address: int, size: int) -> None:
        """Whole sectors, to FF."""
        with _translated(self._port, "write_failed"):
            cmds.erase_region(self._loader, address, size)

    def write(self, segments: Sequence[Segment], progress: Progress | None = None) -> None:
        """Erase what each takes, write it, and have the chip compare; raises Failure `write_failed`, `unplugged`."""
        total = sum(len(part.data) for part in segments)
        begun = 0
        for part in segments:

            def share(done: int, of: int, before: int = begun, size: int = len(part.data)) -> None:
                if progress is not None and of:
                    progress(before + size * min(done, of) // of, total)

            with _translated(self._port, "write_failed", share):
                cmds.write_flash(self._loader, [(part.address, part.data)])
            begun += len(part.data)

    def md5(self, address: int, size: int) -> str:
        """The digest that the chip makes of its own flash, hexadecimal."""
        with _translated(self._port, "verify_failed"):
            return str(self._loader.flash_md5sum(address, size)).lower()

    def reset(self) -> None:
        """Start what is on the flash, and close the port."""
        try:
            with _translated(self._port, "no_boot"):
                cmds.reset_chip(self._loader, "hard-reset")
        finally:
            self.close()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # a port that is gone is closed
            self._loader._port.close()


def open_chip(port: str, baud: int = FAST_BAUD) -> Flasher:
    """Reset the chip into its loader and see what it is.

    Raises Failure `no_board`, `port_busy`, `port_denied`, `no_sync`, `unplugged`, `wrong_chip` (a chip that no lamp
    has). A chip in secure download mode is found with its lock and answers to nothing else.
    """
    EspLog.instance = _LOG
    with _translated(port, "no_sync"):
        loader = cmds.detect_chip(port, _ROM_BAUD, connect_attempts=_CONNECT_ATTEMPTS)
    try:
        with _translated(port, "no_sync"):
            chip = chips.get(loader.CHIP_NAME)
            if loader.secure_download_mode:
                return Flasher(port, loader, Found(chip, b"", 0, ("download mode",)))
            mac = bytes(loader.read_mac("BASE_MAC"))
            locks = _locks(loader)
            loader = cmds.run_stub(loader)
            if baud != _ROM_BAUD and loader.IS_STUB:
                loader.change_baud(baud)
            cmds.attach_flash(loader)
            size = cmds.detect_flash_size(loader)
            return Flasher(port, loader, Found(chip, mac, flash_size_bytes(size) if size else 0, locks))
    except BaseException:
        loader._port.close()
        raise


def _locks(loader: Any) -> tuple[str, ...]:
    found = []
    if loader.get_secure_boot_enabled():
        found.append("secure boot")
    if loader.get_flash_encryption_enabled():
        found.append("flash encryption")
    return tuple(found)


@contextlib.contextmanager
def _translated(port: str, code: str, progress: Progress | None = None) -> Iterator[None]:
    """esptool's and the port's errors as Failure: `code`, unless the port tells of something else."""
    _LOG.listener = progress
    try:
        yield
    except (esptool.FatalError, OSError, SystemExit, RuntimeError) as error:
        # Its words may be long and may quote what was written; the first line names what was met.
        said = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise Failure(_code(port, code, error, str(error)), f"{port}: {said}") from None
    finally:
        _LOG.listener = None


def _code(port: str, code: str, error: BaseException, said: str) -> str:
    if "Could not open" in said or "could not open" in said:
        if "Errno 13" in said or "Permission" in said:
            return "port_denied"
        if "Errno 2]" in said or "FileNotFound" in said or "Errno 6]" in said or "Errno 19]" in said:
            return "no_board"
        return "port_busy"
    if isinstance(error, OSError) or not _is_there(port) or (code != "no_sync" and "serial data" in said.lower()):
        return "unplugged"
    return code


def _is_there(port: str) -> bool:
    return "://" in port or not port.startswith("/") or Path(port).exists()
