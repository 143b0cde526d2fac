"""Taking overrides to the lamps: one message at a time a lamp, again at each check-in until it is heard or over."""

from typing import Any

from backend.clock import Clock
from backend.db import Database
from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.gateway import Gateway
from backend.kit.swept_work import SweptWork
from backend.overrides import repository, service
from backend.overrides.models import CommandState, held_words
from contract.objects import lamp_status as status
from contract.objects import outdoor_lamp_controller as light
from contract.paths import Path, path


def _of(resource: Any) -> Path:
    target: Path = path(resource.object, 0, resource.id)
    return target


COMMAND, START, END, FADE = (
    _of(resource)
    for resource in (
        light.COMMAND,
        light.MANUAL_OVERRIDE_START_TIME,
        light.MANUAL_OVERRIDE_END_TIME,
        light.MANUAL_OVERRIDE_FADE,
    )
)
RUNG, WORDS, CHANGED = _of(status.RUNG), _of(status.EXPLANATION), _of(status.LIGHT_CHANGED)


AT_ONCE = 1000
"""Lamps that are served at once: many of them may be dark, and what bounds their datagrams is the gateway's window."""


class Delivery:
    """The worker of the overrides."""

    def __init__(self, database: Database, gateway: Gateway, clock: Clock) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._work = SweptWork("overrides", self.deliver, self._left, concurrency=AT_ONCE)
        self._unseen: dict[int, service.Step] = {}
        self.wake = self._work.wake

    async def run(self) -> None:
        """Deliver until cancelled. What was on its way when the server stopped is on no way now."""
        await self._database.write(repository.unsend)
        await self._work.run()

    def check_in(self, lamp_id: int, kind: str) -> None:
        """A lamp was heard: one that did not answer before is tried again. The sweep sees to the others, so that a city
        that registers at once costs no look into the database for each lamp."""
        if self._work.is_resting(lamp_id):
            self._work.wake([lamp_id])

    async def _left(self) -> list[int]:
        """Lamps that still have to hear something. What has ended is over now, also at a lamp that rests."""
        now_ms = self._clock.now_ms()
        if await self._database.read(lambda session: repository.has_overdue(session, now_ms)):
            await self._database.write(lambda session: repository.end_overdue(session, now_ms))
        left = await self._database.read(repository.waiting_lamps)
        return [lamp_id for lamp_id in left if self._gateway.is_present(lamp_id)]

    async def deliver(self, lamp_id: int) -> None:
        """Send what is due to one lamp until nothing is, or it does not answer. An absent one is not asked: the sweep
        comes back to it when it was heard."""
        while self._gateway.is_present(lamp_id):
            # The clock is read when it is this writer's turn: what others wrote meanwhile is not in the future.
            step = await self._database.write(lambda session: service.next_step(session, lamp_id, self._clock.now_ms()))
            if step is None:
                break
            try:
                await self._gateway.write_composite(lamp_id, _values(step))
            except (LampUnreachable, LampRefused) as error:
                if isinstance(error, LampUnreachable) or error.is_passing:
                    self._work.rest(lamp_id)
                    await self._move(step, (CommandState.SENT,), state=CommandState.ACCEPTED)
                    return
                expected = (CommandState.SENT, CommandState.CANCELLING)
                now_ms = self._clock.now_ms()
                await self._move(step, expected, state=CommandState.REFUSED, ended_ms=now_ms, detail=str(error))
                continue
            now_ms = self._clock.now_ms()
            if step.kind == "clear":
                self._unseen.pop(lamp_id, None)
                await self._move(step, (CommandState.CANCELLING,), state=CommandState.CANCELLED, ended_ms=now_ms)
            else:
                await self._move(step, (CommandState.SENT,), state=CommandState.RECEIVED, received_ms=now_ms)
                self._unseen[lamp_id] = step
        # A lamp has one request at a time: the next command does not wait for an answer that a lossy network has
        # swallowed. What is given up for nothing is asked again: whoever is woken comes here anew.
        unseen = self._unseen.get(lamp_id)
        if unseen is not None and await self._work.until_woken(lamp_id, self._look(lamp_id, unseen)):
            del self._unseen[lamp_id]

    async def _look(self, lamp_id: int, step: service.Step) -> None:
        """Ask whether the light follows already; a lamp that cannot say so will report it, or is a third party's."""
        try:
            seen = await self._gateway.read_composite(lamp_id, [RUNG, WORDS, CHANGED])
        except (LampUnreachable, LampRefused):
            return
        changed = seen.get(CHANGED)
        if seen.get(RUNG) == "override" and isinstance(changed, int):
            # 0: the lamp has no clock to tell by. The light follows now, and that it does was seen now.
            values = {
                "executed_ms": changed if changed > 0 else self._clock.now_ms(),
                "detail": held_words(seen.get(WORDS)),
            }
            await self._move(step, (CommandState.RECEIVED,), state=CommandState.EXECUTED, **values)

    async def _move(self, step: service.Step, expected: tuple[CommandState, ...], **values: object) -> None:
        await self._database.write(lambda session: repository.move(session, step.command_id, expected, **values))


def _values(step: service.Step) -> dict[Path, Any]:
    if step.kind == "clear":
        return {END: 0}
    return {COMMAND: step.level, START: step.start_s, END: step.end_s, FADE: step.fade_s}
