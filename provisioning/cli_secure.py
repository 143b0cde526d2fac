"""`streetlight provision secure`: shows what it would burn; burns only after the board's MAC was typed."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from provisioning import screen_texts
from provisioning.cli_output import JsonOption, LanguageOption, OperatorOption, Output, StateOption, open_journal
from provisioning.errors import Failure

secure_commands = typer.Typer()


@secure_commands.command()
def secure(
    port: Annotated[str, typer.Option(help="Serial port of the finished lamp.")],
    parts: Annotated[list[str], typer.Option("--part", help="secure_boot, flash_encryption, jtag, download_mode.")],
    burn: Annotated[bool, typer.Option("--burn", help="Burn. Without it nothing is burnt, only shown.")] = False,
    chip: Annotated[str, typer.Option(help="esp32, esp32s2, esp32s3, esp32c3, esp32c6.")] = "esp32",
    key: Annotated[Path | None, typer.Option(help="Public half of the secure boot v2 key (PEM).")] = None,
    signed: Annotated[
        list[str] | None, typer.Option(help="ADDRESS=FILE of each signed image that the board runs, bootloader too.")
    ] = None,
    json_lines: JsonOption = False,
    language: LanguageOption = None,
    operator: OperatorOption = None,
    state_folder: StateOption = None,
) -> None:
    """Lock a finished lamp for good by its eFuses. Shows what it would burn; --burn asks you to type its MAC."""
    output = Output(json_lines, language, state_folder)
    with output.ending():
        from provisioning import secure as locking
        from provisioning.efuses import Efuses, check_signed, digest_of

        efuses = Efuses(chip, port=port)
        fields = efuses.read()
        mac = locking.mac_of(fields)
        journal = open_journal(operator)
        known = journal.board(mac)
        if known is None or not known.is_finished:
            raise Failure("secure_refused", f"{mac} is no finished lamp of this computer's journal")
        signing = None
        if key is not None:
            signing = locking.Signing(key, digest_of(key))
            images = [_image(text) for text in signed or []]
            if "secure_boot" in parts and len(images) < 2:
                raise Failure("secure_refused", "name bootloader and application with --signed ADDRESS=FILE")
            for _, file in images:
                check_signed(file, key)
            _check_on_chip(port, images)
        stages = locking.plan(efuses.chip, fields, frozenset(parts), signing if "secure_boot" in parts else None)
        for stage in stages:
            output.say(stage.part, "bold", step=stage.part, state="planned", burns=stage.lines())
            if not output.is_json:
                for line in stage.lines():
                    output.console.print(Text(f"  {line}"))
        if not stages or not burn:
            output.say(screen_texts.word("nothing_burnt", output.language), step="run", state="done", burnt=False)
            return
        question = f"{screen_texts.word('type_mac', output.language)} {mac}"
        if typer.prompt(question, default="", show_default=False, err=True).strip().lower() != mac:
            raise Failure("secure_refused", "what was typed is not this board's MAC")
        journal.append("securing", mac=mac, burns=[line for stage in stages for line in stage.lines()])
        locking.burn(efuses, stages, signing, lambda part, how: output.say(f"{part}: {how}", step=part, state=how))
        journal.append("secured", mac=mac, parts=[stage.part for stage in stages])
        output.say(f"✓ {mac}", "green", step="run", state="done", burnt=True)


def _image(text: str) -> tuple[int, Path]:
    address, _, name = text.partition("=")
    try:
        return int(address, 0), Path(name)
    except ValueError:
        raise typer.BadParameter("write ADDRESS=FILE, like 0x1000=bootloader.bin", param_hint="--signed") from None


def _check_on_chip(port: str, images: list[tuple[int, Path]]) -> None:
    """The chip runs these very images: what is signed on the disk says nothing of what is on the flash."""
    from provisioning import flasher

    opened = flasher.open_chip(port)
    try:
        for address, file in images:
            data = file.read_bytes()
            if opened.md5(address, len(data)) != hashlib.md5(data).hexdigest():
                raise Failure("secure_refused", f"the chip does not hold {file.name} at {address:#x}")
    finally:
        opened.close()
