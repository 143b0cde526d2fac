"""Do the lamp and the backend agree, and if not, why? Pure."""

from dataclasses import dataclass

from backend.explain.models import Expected, Said
from contract import levels, limits


@dataclass(frozen=True)
class Circumstances:
    """What else is known of the lamp; times are lighting time."""

    is_online: bool
    heard_words: str
    """When it was last heard, for people."""
    schedule_status: str | None
    """None: it should hold no schedule."""
    schedule_detail: str
    holds_other_schedule: bool
    """It last reported another digest than it should hold."""
    override_state: str | None
    """State of the command of the override that holds now."""
    cancelling: bool
    """It was asked to give an override up and has not answered."""
    clock_error_ms: int | None
    """None: never said; -1: it has no clock."""


def differences(said: Said, expected: Expected) -> list[str]:
    """In what they differ; empty when they agree. Only what both know is compared."""
    found = []
    if said.rung is not None and said.rung != expected.rung:
        found.append(f"rung: the lamp says {said.rung}, the backend {expected.rung}")
    if said.level is not None and expected.level is not None and said.level != expected.level:
        found.append(f"level: the lamp says {said.level} %, the backend {expected.level} %")
    return found


def reasons(said: Said, expected: Expected, known: Circumstances) -> list[str]:
    """What may be the reason of a difference, the likeliest first."""
    found = []
    if not known.is_online:
        found.append(f"The lamp is not heard: {known.heard_words}. What it said may be old.")
    elif said.at is not None and expected.since is not None and said.at < expected.since:
        found.append("The lamp has not reported since this began; it does so within its report interval.")
    if known.override_state in {"accepted", "sent"}:
        found.append(f"The override has not reached the lamp yet: it is {known.override_state}.")
    if known.cancelling:
        found.append("An override was cancelled and the lamp has not been told yet.")
    if known.schedule_status in {"pending", "refused"}:
        detail = f": {known.schedule_detail}" if known.schedule_detail else ""
        found.append(f"The schedule is not verified; it is {known.schedule_status}{detail}.")
    elif known.holds_other_schedule:
        found.append("The lamp reported the digest of another schedule than it should hold; it will be sent again.")
    if said.rung == "failsafe" or known.clock_error_ms == -1:
        found.append("The lamp has no clock that it trusts, and is lit; it takes the time at its next registration.")
    elif known.clock_error_ms is not None and known.clock_error_ms >= limits.CLOCK_FAULT_MS:
        found.append(f"The lamp's clock may be wrong by {known.clock_error_ms / 1000:.0f} s.")
    if said.words is not None and levels.HELD in said.words and levels.HELD not in expected.words:
        found.append("The lamp holds its safety floor: to it, it is night. Look at its photocell, clock and place.")
    if said.rung == "override" and expected.rung != "override" and not known.cancelling:
        found.append("The lamp holds an override that this backend did not send, or that it has ended meanwhile.")
    return found or ["Nothing that the backend knows explains it; read 42769/0 of the lamp, and its log."]
