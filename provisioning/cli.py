"""The command line of provisioning, and the one place where its parts are named: port, journal, backend, screen."""

import os
import signal
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from contract.limits import COAP_PORT
from provisioning.cli_fleet import fleet_commands
from provisioning.cli_output import (
    JsonOption,
    LanguageOption,
    OperatorOption,
    ServerPortOption,
    StateOption,
    WiringOption,
    now_ms,
)
from provisioning.cli_secure import secure_commands

if TYPE_CHECKING:
    from provisioning.enrolment import Backend
    from provisioning.procedure import Done
    from provisioning.screen import Screen
    from provisioning.station import Tools
    from provisioning.steps import Step

_WAIT_S = 60.0  # for a board to be plugged in

commands = typer.Typer()
provision_commands = typer.Typer(
    help="One USB cable, one command, one plain answer: make lamps of boards.", invoke_without_command=True
)
commands.add_typer(provision_commands, name="provision")
for others in (fleet_commands, secure_commands):
    provision_commands.registered_commands += others.registered_commands

PortOption = Annotated[str | None, typer.Option(help="Serial port; without it, the one board that is plugged in.")]
BackendOption = Annotated[
    str | None, typer.Option(help="Address of the backend; its token is STREETLIGHT_TOKEN or that of the login.")
]
FirmwareOption = Annotated[
    Path | None, typer.Option("--firmware", help="Folder that `python -m firmware.image DIR --files` made.")
]


@provision_commands.callback()
def provision(
    context: typer.Context,
    port: PortOption = None,
    base: Annotated[Path | None, typer.Option(help="MicroPython for this chip, as published (.bin).")] = None,
    base_sha256: Annotated[str | None, typer.Option("--base-sha256", "--sha256", help="Its SHA-256.")] = None,
    backend: BackendOption = None,
    offline: Annotated[bool, typer.Option("--offline", help="Keep the enrolment in the sealed ledger.")] = False,
    asset_id: Annotated[str | None, typer.Option(help="What the city calls this lamp.")] = None,
    serial: Annotated[str | None, typer.Option(help="Serial number on the plate.")] = None,
    name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    latitude: Annotated[str | None, typer.Option(help="Degrees north.")] = None,
    longitude: Annotated[str | None, typer.Option(help="Degrees east.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name, like Asia/Ho_Chi_Minh.")] = None,
    nominal_power_w: Annotated[str | None, typer.Option(help="Power of the luminaire at full light.")] = None,
    plate: Annotated[str | None, typer.Option(help="`-`: one line of JSON on standard input.", hidden=True)] = None,
    server_host: Annotated[str | None, typer.Option(help="Where the lamp reports to; else the backend's host.")] = None,
    server_port: ServerPortOption = COAP_PORT,
    wifi_ssid: Annotated[str | None, typer.Option(help="Wi-Fi network of the lamp.")] = None,
    wifi_password_file: Annotated[
        Path | None, typer.Option(help="Its password; else STREETLIGHT_WIFI_PASSWORD, else you are asked.")
    ] = None,
    safety_floor: Annotated[int, typer.Option(min=0, max=100, help="Least light by night, percent.")] = 0,
    wiring: WiringOption = None,
    chip: Annotated[str, typer.Option(help="Refuse every other chip: esp32, esp32s2, esp32s3, esp32c3, esp32c6.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Take an identity away that the board has.")] = False,
    firmware: FirmwareOption = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    operator: OperatorOption = None,
    state_folder: StateOption = None,
) -> None:
    """Make a lamp of the board on the cable. Interrupted or unplugged, the same command finishes it."""
    if context.invoked_subcommand is not None:
        return
    desk = Desk(json_lines, language, operator, state_folder)
    with desk:
        from provisioning import options, procedure

        read = None if plate == "-" else options.read_plate(
            {
                "asset_id": asset_id or "",
                "serial": serial,
                "name": name,
                "latitude": latitude or "",
                "longitude": longitude or "",
                "time_zone": time_zone or "",
                "nominal_power_w": nominal_power_w,
            }
        )  # fmt: skip
        backend_url = backend or desk.known_backend(required=not offline)
        rest = {
            "server_host": options.server_host(server_host, backend_url),
            "server_port": server_port,
            **options.wifi(wifi_ssid, wifi_password_file, _ask_password if sys.stdin.isatty() else None),
        }
        request = procedure.Request(
            options.read_base(base),
            base_sha256,
            options.known_bases(desk.folder),
            rest,
            chip,
            replace,
            options.read_wiring(wiring),
            lambda found: options.settings_of(found, safety_floor, options.now()),
        )
        tools = desk.tools(
            port, desk.ledger() if offline else desk.backend(backend_url), firmware, request.wiring, read, replace
        )
        done: Done = desk.run(tools, procedure.provision(request))
        if base is not None:
            options.remember_base(desk.folder, request.base, base.name)
        desk.good(
            endpoint=done.endpoint,
            asset_id=done.asset_id,
            serial=done.serial,
            result=done.result,
            label=done.label,
            tests=[[one.name, one.passed, one.detail] for one in done.findings] if json_lines else "",
        )


@provision_commands.command()
def verify(
    port: PortOption = None,
    base: Annotated[Path | None, typer.Option(help="Compare the base image too.")] = None,
    backend: BackendOption = None,
    wiring: WiringOption = None,
    firmware: FirmwareOption = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    operator: OperatorOption = None,
    state_folder: StateOption = None,
) -> None:
    """Is this one good? Reads back, lets the board test itself, asks the backend. Changes nothing."""
    with Desk(json_lines, language, operator, state_folder) as desk:
        from provisioning import options, upkeep

        checkup = upkeep.Checkup(
            options.read_base(base) if base is not None else None, options.read_wiring(wiring), backend is not None
        )
        tools = desk.tools(port, desk.backend(backend) if backend else None, firmware, checkup.wiring)
        good = desk.run(tools, upkeep.verify(checkup))
        desk.good(
            endpoint=good.endpoint,
            tests=[[one.name, one.passed, one.detail] for one in good.findings]
            if json_lines
            else "; ".join(f"{one.name}: {one.detail}" for one in good.findings),
        )


@provision_commands.command()
def wipe(
    port: PortOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    operator: OperatorOption = None,
    state_folder: StateOption = None,
) -> None:
    """Erase identity, seal and files of the board. In the backend its keys stay in force: retire the lamp there."""
    with Desk(json_lines, language, operator, state_folder) as desk:
        from provisioning import options, upkeep

        if not yes and not (
            sys.stdin.isatty() and typer.confirm("Erase the identity of this board for good?", err=True)
        ):
            raise options.Wrong("nothing was erased; say --yes")
        wiped = desk.run(desk.tools(port, None, None, None), upkeep.wipe())
        desk.good(
            verdict="wiped",
            endpoint=wiped.endpoint or "it held none",
            backend="its keys stay in force there until the lamp is retired" if wiped.was_sealed else "",
        )


def _ask_password() -> str:
    return str(typer.prompt("Wi-Fi password", hide_input=True, default="", show_default=False, err=True))


class Desk:
    """A computer with its records and its screen. Entered, it turns a Failure into a shown end and an exit status."""

    def __init__(self, json_lines: bool, language: str | None, operator: str | None, state_folder: Path | None) -> None:
        self._json = json_lines
        self._language = language
        self._operator = operator
        self._state = state_folder
        self._shown = False
        self.screen: Screen
        self.folder: Path

    def __enter__(self) -> "Desk":
        self.screen = _screen(self._json, self._language)
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            from provisioning import options, state

            if self._state is not None:
                os.environ[state.VARIABLE] = str(self._state)
            self.folder = state.folder()
            self._operator = options.operator(self._operator)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        from provisioning.errors import Failure
        from provisioning.options import Wrong

        if isinstance(error, KeyboardInterrupt):
            error = Failure("interrupted")
            self._shown = False
        if isinstance(error, Wrong):
            self.screen.close()
            self._refuse(str(error))
        if isinstance(error, Failure):
            if not self._shown:
                self.screen.failed("run", error)
            self.screen.close()
            raise typer.Exit(error.exit_status) from None
        self.screen.close()

    def _refuse(self, text: str) -> NoReturn:
        if self._json:
            self.screen.step("run", "failed", code="usage", exit_status=2, detail=text, advice=text)
        else:
            typer.secho(text, fg="red", err=True)
        raise typer.Exit(2) from None

    def known_backend(self, required: bool) -> str | None:
        """The backend of the last login."""
        from provisioning import account
        from provisioning.errors import Failure

        try:
            return account.load(self.folder).url
        except Failure:
            if required:
                raise
            return None

    def backend(self, url: str | None) -> "Backend":
        from provisioning import account
        from provisioning.enrolment_http import HttpBackend

        return HttpBackend(url or "", account.token(self.folder))

    def ledger(self) -> "Backend":
        from provisioning import account, sealing
        from provisioning.ledger import Ledger

        return Ledger(self.folder, sealing.open_station(self.folder), account.load(self.folder).key, now_ms)

    def tools(
        self,
        port: str | None,
        backend: "Backend | None",
        firmware: Path | None,
        wiring: bytes | None,
        plate: Any = None,
        replace: bool = False,
    ) -> "Tools":
        """Everything that a station needs, on `port`."""
        from provisioning import assignment, chips, firmware_files, flasher, label, options
        from provisioning.console import Console
        from provisioning.journal import Journal
        from provisioning.plate import Plate, format_mac
        from provisioning.station import Tools

        device = port or _find_port()
        journal = Journal(self.folder, self._operator or "", now_ms)

        def load(name: str, with_romfs: bool) -> firmware_files.Firmware:
            folder = firmware or firmware_files.make(self.folder / "firmware")
            return firmware_files.load(folder, chips.get(name), with_romfs, wiring)

        def ask_plate(mac: bytes) -> Plate:
            if plate is None:  # the batch that started this run has claimed it
                return options.plate_of_line(sys.stdin.readline())
            return assignment.claim_one(self.folder, journal, plate, format_mac(mac), replace=replace)

        return Tools(
            open_chip=lambda: flasher.open_chip(device),
            open_prompt=lambda: Console(device),
            journal=journal,
            backend=backend,
            load_firmware=load,
            ask_plate=ask_plate,
            backup=self._backup(backend),
            label=lambda endpoint, asset_id, _: str(label.write(self.folder / "labels", endpoint, asset_id)),
        )

    def _backup(self, backend: Any) -> Callable[[bytes, bytes], str]:
        """Keeps an identity that is about to be lost, sealed so that only the backend can read it."""

        def backup(mac: bytes, document: bytes) -> str:
            from provisioning import account, sealing, state
            from provisioning.errors import Failure

            try:
                key = account.load(self.folder).key
            except Failure:
                if not hasattr(backend, "key"):
                    raise
                key = backend.key()
            place = self.folder / "backups"
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = place / f"{mac.hex()}-{now_ms()}.sealed"
            state.write(path, sealing.seal(document, key), private=True)
            return str(path)

        return backup

    def run(self, tools: "Tools", steps: "Generator[Step, Any, Any]") -> Any:
        from provisioning.errors import Failure
        from provisioning.station import Station

        try:
            return Station(tools, self.screen).run(steps)
        except Failure:
            self._shown = True
            raise

    def good(self, **facts: Any) -> None:
        self.screen.step("run", "done", **facts)


def _screen(json_lines: bool, language: str | None) -> "Screen":
    from provisioning.screen import JsonScreen, RichScreen
    from provisioning.screen_texts import language_of

    spoken = language_of(language)
    if json_lines:
        return JsonScreen(sys.stdout, spoken)
    from rich.console import Console as Terminal

    return RichScreen(Terminal(highlight=False), spoken, time.monotonic)


def _find_port() -> str:
    from provisioning import ports

    return ports.wait(_WAIT_S).device


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
