"""Commands beside the single board: batch, login, sync, label, ports, doctor, journal. `cli` gathers them.

Heavy modules are imported inside, so that help answers at once.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from contract.limits import COAP_PORT
from provisioning import screen_texts, state
from provisioning.cli_output import (
    JsonOption,
    LanguageOption,
    OperatorOption,
    Output,
    ServerPortOption,
    StateOption,
    WiringOption,
    now_ms,
    open_journal,
)
from provisioning.errors import Failure

fleet_commands = typer.Typer()


@fleet_commands.command()
def batch(
    manifest: Annotated[
        Path, typer.Argument(help="CSV: asset_id, latitude, longitude, time_zone, and what else is known.")
    ],
    base: Annotated[Path | None, typer.Option(help="MicroPython for this chip, as published (.bin).")] = None,
    base_sha256: Annotated[str | None, typer.Option("--base-sha256", "--sha256", help="Its SHA-256.")] = None,
    backend: Annotated[str | None, typer.Option(help="Address of the backend; else that of the login.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Keep the enrolments in the sealed ledger.")] = False,
    port: Annotated[
        list[str] | None, typer.Option(help="A serial port; may be said several times. Else every board.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many boards at once.")] = 8,
    jig: Annotated[bool, typer.Option("--jig", help="Adapters stay plugged in; only boards are swapped.")] = False,
    idle_s: Annotated[
        float | None, typer.Option(help="End when nothing was at work for so long; else Ctrl-C ends.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(help="Where the summary (CSV) goes; else into the state folder.")
    ] = None,
    server_host: Annotated[str | None, typer.Option(help="Where the lamps report to; else the backend's host.")] = None,
    server_port: ServerPortOption = COAP_PORT,
    wifi_ssid: Annotated[str | None, typer.Option(help="Wi-Fi network of the lamps.")] = None,
    wifi_password_file: Annotated[
        Path | None, typer.Option(help="Its password; else STREETLIGHT_WIFI_PASSWORD.")
    ] = None,
    safety_floor: Annotated[int, typer.Option(min=0, max=100, help="Least light by night, percent.")] = 0,
    wiring: WiringOption = None,
    chip: Annotated[str, typer.Option(help="Refuse every other chip.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Take identities away that boards have.")] = False,
    firmware: Annotated[Path | None, typer.Option("--firmware", help="Folder with the firmware's files.")] = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    operator: OperatorOption = None,
    state_folder: StateOption = None,
) -> None:
    """Make lamps of many boards: plug in, wait for the line to say swap, plug in the next. Resumes after a crash.

    The first Ctrl-C finishes the boards that are at work, the second one stops them.
    """
    output = Output(json_lines, language, state_folder)
    given = {
        "base": base, "base-sha256": base_sha256, "backend": backend, "server-host": server_host,
        "server-port": server_port, "wifi-ssid": wifi_ssid, "wifi-password-file": wifi_password_file,
        "safety-floor": safety_floor, "wiring": wiring, "chip": chip, "operator": operator,
        "language": output.language,
    }  # fmt: skip
    options = [f"--{name}={value}" for name, value in given.items() if value not in (None, "")]
    options += ["--offline"] * offline + ["--replace"] * replace
    with output.ending():
        from provisioning import batch as batches
        from provisioning import batch_screen, firmware_files, ports
        from provisioning import manifest as manifests
        from provisioning import summary as summaries
        from provisioning.journal import iso

        planned = manifests.load(manifest)
        folder = state.folder()
        os.environ[state.VARIABLE] = str(folder)  # The children keep their records there too.
        journal = open_journal(operator)
        # Made once: children that all make it wait for one another's compiler.
        options.append(f"--firmware={firmware or firmware_files.make(folder / 'firmware')}")
        screen: Any = (
            batch_screen.JsonLines(sys.stdout, output.language)
            if json_lines
            else batch_screen.TableScreen(output.console, output.language)
        )

        def command(device: str) -> list[str]:
            single = ["provision", f"--port={device}", "--json", "--plate=-", *options]
            return [sys.executable, "-P", "-m", "streetlight", *single]

        lister: Callable[[], Any] = ports.named(port) if port else ports.find_boards
        run = batches.Batch(
            folder, journal, planned, command, lister, screen, jobs=jobs, replace=replace, is_jig=jig, idle_s=idle_s
        )
        _on_interrupt(run)
        target = summary or folder / "batches" / f"{planned.sha256[:8]}-{iso(now_ms())[:10]}.csv"
        ended = []
        try:
            ended = run.run()
        finally:
            screen.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        text = summaries.summary(planned, journal.boards(), ended, journal.check().last)
        state.write(target, text.encode("utf-8-sig"))
        left = run.left()
        words = f"{len(planned.rows) - left} {screen_texts.word('of', output.language)} {len(planned.rows)}"
        words += f" {screen_texts.word('finished', output.language)}: {target}"
        output.say(words, step="run", state="done", finished=len(planned.rows) - left, left=left, summary=str(target))
        if left:
            raise Failure("batch_incomplete", f"{left}")


def _on_interrupt(run: Any) -> None:
    def interrupted(*_: object) -> None:
        run.stop()
        signal.signal(signal.SIGINT, lambda *_: run.kill())

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, lambda *_: run.kill())


@fleet_commands.command()
def login(
    backend: Annotated[str, typer.Option(help="Address of the backend, https://...")],
    name: Annotated[str | None, typer.Option(help="What the office calls this computer; else its host name.")] = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    state_folder: StateOption = None,
) -> None:
    """While online, once: keep the token and the backend's key, and let the backend know this computer's key.

    The token is asked for, or comes in STREETLIGHT_TOKEN, or on standard input.
    """
    output = Output(json_lines, language, state_folder)
    with output.ending():
        from provisioning import account, sealing
        from provisioning.enrolment_http import HttpBackend

        token = os.environ.get(account.TOKEN_VARIABLE, "").strip()
        if not token and sys.stdin.isatty():
            token = typer.prompt("Token", hide_input=True, err=True).strip()
        token = token or sys.stdin.readline().strip()
        folder = state.folder()
        station = sealing.open_station(folder)
        client = HttpBackend(backend, token)
        key = client.key()
        client.register_station(name or socket.gethostname(), station.public)
        account.save(folder, account.Account(client.url, key, token))
        output.say(f"✓ {client.url}", "green", step="login", state="done", backend=client.url, station=station.public)


@fleet_commands.command()
def sync(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Ledgers; else the one that waits on this computer.")
    ] = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    operator: OperatorOption = None,
    state_folder: StateOption = None,
) -> None:
    """Upload the offline ledger, any number of times, with the same result."""
    output = Output(json_lines, language, state_folder)
    with output.ending():
        from provisioning import account
        from provisioning import sync as syncing
        from provisioning.enrolment_http import HttpBackend

        folder = state.folder()
        known = account.load(folder)
        client = HttpBackend(known.url, known.token)
        refused = 0
        for done in syncing.sync(folder, files or [], client, open_journal(operator)):
            refused += len(done.refused)
            counts = f"{done.enrolled} enrolled, {done.unchanged} unchanged, {len(done.refused)} refused"
            output.say(
                f"{'✗' if done.refused else '✓'} {done.path.name}: {counts}",
                step="sync",
                state="failed" if done.refused else "done",
                ledger=str(done.path),
                kept_at=str(done.kept_at),
                enrolled=done.enrolled,
                unchanged=done.unchanged,
                refused=[vars(answer) for answer in done.refused],
            )
            for answer in done.refused:
                if not output.is_json:
                    output.console.print(Text(f"  {answer.line}: {answer.endpoint} {answer.code}", "red"))
        if refused:
            raise Failure("enrolment_refused", f"{refused}")


@fleet_commands.command()
def label(
    asset_ids: Annotated[list[str], typer.Argument(help="Finished lamps of this computer's journal, by asset id.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="One PDF with a page for each.")] = Path("labels.pdf"),
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    state_folder: StateOption = None,
) -> None:
    """Print labels again: a QR code with endpoint and asset id."""
    output = Output(json_lines, language, state_folder)
    with output.ending():
        from provisioning import label as labels

        boards = open_journal(None).boards().values()
        known = {board.facts.get("asset_id"): board for board in boards if "sealed" in board.events}
        lamps = []
        for asset_id in asset_ids:
            if asset_id not in known:
                raise Failure("not_provisioned", f"{asset_id} is no finished lamp in {state.folder()}")
            lamps.append((str(known[asset_id].facts.get("endpoint", "")), asset_id))
        state.write(out, labels.pdf(lamps))
        output.say(f"✓ {out}", "green", step="label", state="done", file=str(out), labels=len(lamps))


@fleet_commands.command()
def ports(json_lines: JsonOption = False, language: LanguageOption = None) -> None:
    """The serial ports, and which of them are boards."""
    output = Output(json_lines, language, None)
    with output.ending():
        from provisioning import ports as finding

        for port in finding.find_all():
            ids = (
                f"{port.vendor:04x}:{port.product:04x}" if port.vendor is not None and port.product is not None else ""
            )
            output.say(
                f"{'✓' if port.adapter else ' '} {port.device:<24} {port.adapter or '-':<28} {ids}",
                port=port.device,
                adapter=port.adapter,
                usb=ids,
            )
        if not finding.find_boards():
            raise Failure("no_board")


@fleet_commands.command()
def doctor(json_lines: JsonOption = False, language: LanguageOption = None, state_folder: StateOption = None) -> None:
    """Why a board is not found or cannot be worked on, and what to do. Opens no port, changes nothing."""
    output = Output(json_lines, language, state_folder)
    with output.ending():
        from provisioning import doctor as doctors

        marks = {"good": ("✓", "green"), "hint": ("!", "yellow"), "bad": ("✗", "red")}
        found = doctors.examine(state.folder())
        for finding in found:
            mark, colour = marks[finding.state]
            text = finding.text(output.language)
            output.say(f"{mark} {finding.name:<10} {text}", colour, name=finding.name, state=finding.state, advice=text)
        if any(finding.state == "bad" for finding in found):
            raise typer.Exit(1)


@fleet_commands.command()
def journal(
    mac: Annotated[str | None, typer.Option(help="Only this board.")] = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    state_folder: StateOption = None,
) -> None:
    """Check the journal's chain and print it: what was done to which board by whom."""
    output = Output(json_lines, language, state_folder)
    with output.ending():
        from provisioning.plate import format_mac, parse_mac

        try:
            wanted = format_mac(parse_mac(mac)) if mac else None
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--mac") from None
        kept = open_journal(None)
        head = kept.check()
        for entry in kept.entries():
            if wanted in (None, entry.get("mac")):
                told = {
                    name: value for name, value in entry.items() if name not in ("at", "operator", "event", "previous")
                }
                words = " ".join(f"{name}={value}" for name, value in told.items())
                output.say(f"{entry['at']} {entry['operator']:<10} {entry['event']:<10} {words}", **entry)
        output.say(f"✓ {head.count}  {head.last}", "green", entries=head.count, head=head.last)
