"""From the API to the light and back: what an operator asks for by hand, and what becomes of it."""

import time
from statistics import median

from tests.system.town import Town, iso, milliseconds
from tests.system.waiting import until

SHOTS = 10


def since(town: Town, number: int, at_ns: int) -> list[int]:
    """The levels that the light took after a moment, in order, without repeats."""
    levels: list[int] = []
    for edge in town.edges(number):
        if edge.at_ns >= at_ns and levels[-1:] != [edge.level]:
            levels.append(edge.level)
    return levels


def test_an_override_reaches_the_light_and_each_step_has_its_time_in_order(town: Town) -> None:
    override = town.override(30, 0, fade_s=0, duration_s=600)
    town.shines(0, 30)
    outcome = town.becomes(override, 0, "executed")
    steps = [milliseconds(outcome[f"{step}_at"]) for step in ("accepted", "sent", "received")]
    assert steps == sorted(steps)
    # The lamp's own clock says when the light changed: between sent and received, but for its error.
    executed, sent = milliseconds(outcome["executed_at"]), milliseconds(outcome["sent_at"])
    assert sent - 50 <= executed <= steps[-1] + 50
    seen = town.wall.utc_ms(next(edge.at_ns for edge in reversed(town.edges(0)) if edge.level == 30))
    assert abs(executed - seen) <= 50
    town.cancel(override, 0)
    town.shines(0, 80)


def test_the_light_follows_within_a_second(town: Town) -> None:
    delays_ms = []
    for shot in range(SHOTS):
        begun_ns, count = time.monotonic_ns(), len(town.edges(0))
        town.override(20 + shot, 0, duration_s=600)
        town.shines(0, 20 + shot)
        delays_ms.append((town.edges(0)[count].at_ns - begun_ns) / 1e6)
    print(f"\nAPI to light: median {median(delays_ms):.0f} ms, longest {max(delays_ms):.0f} ms of {SHOTS}")
    newest = town.api.get("/overrides", lamp_id=town.ids[0])["items"]
    assert [item["outcomes"] for item in newest[1:SHOTS]] == [{"superseded": 1}] * (SHOTS - 1)
    town.cancel(newest[0]["id"], 0)
    town.shines(0, 80)
    assert median(delays_ms) < 1000


def test_an_override_of_a_zone_is_executed_by_all_of_its_lamps_and_by_no_other(town: Town) -> None:
    zone = town.api.post("/zones", {"name": "Two of three"})["id"]
    town.api.post(f"/zones/{zone}/members", {"lamp_ids": town.ids[:2]})
    begun_ns = time.monotonic_ns()
    override = town.override(45, zone_id=zone, duration_s=600)
    for number in (0, 1):
        town.becomes(override, number, "executed")
        assert since(town, number, begun_ns) == [45]
    assert town.api.get(f"/overrides/{override}")["outcomes"] == {"executed": 2}
    town.cancel(override, 0, 1)
    for number in (0, 1):
        town.shines(number, 80)
    assert since(town, 2, begun_ns) == []


def test_an_override_ends_by_itself(town: Town) -> None:
    town.override(10, 0, duration_s=2)
    town.shines(0, 10)
    town.shines(0, 80)


def test_a_start_in_the_future_makes_lamps_switch_together(town: Town) -> None:
    zone = town.api.post("/zones", {"name": "Together"})["id"]
    town.api.post(f"/zones/{zone}/members", {"lamp_ids": town.ids})
    # Whole seconds go over the air.
    start_ms = (town.wall.now_ms() // 1000 + 3) * 1000
    begun_ns = time.monotonic_ns()
    override = town.override(55, zone_id=zone, start=iso(start_ms), duration_s=600)
    moments = []
    for number in range(3):
        town.shines(number, 55)
        assert since(town, number, begun_ns) == [55]
        moments.append(town.wall.utc_ms(town.edges(number)[-1].at_ns))
    print(f"\nswitched together within {max(moments) - min(moments)} ms, {max(moments) - start_ms} ms after the start")
    assert max(moments) - min(moments) < 250
    assert min(moments) >= start_ms - 100
    for number in range(3):
        town.becomes(override, number, "executed")
    town.cancel(override, 0, 1, 2)
    for number in range(3):
        town.shines(number, 80)


def test_an_absent_lamp_gets_its_override_when_it_returns(town: Town) -> None:
    town.lamps[1].power_off()
    override = town.override(35, 1, duration_s=600)
    until(lambda: town.outcome(override, 1)["sent_at"], 10, "it is tried")
    assert town.outcome(override, 1)["received_at"] is None
    town.power_on(1)
    town.shines(1, 35, 30)
    town.becomes(override, 1, "executed", 30)
    town.cancel(override, 1)
    town.shines(1, 80)


def test_an_override_that_expired_is_never_delivered(town: Town) -> None:
    town.lamps[1].power_off()
    override = town.override(15, 1, duration_s=1)
    outcome = town.becomes(override, 1, "expired", 30)
    assert outcome["received_at"] is None and outcome["executed_at"] is None
    begun_ns = town.power_on(1)
    until(lambda: town.is_online(1) and town.level(1) == 80, 15, "the lamp is back on its schedule")
    # Whatever came for this lamp came before the answer to a newer command.
    town.becomes(town.override(75, 1, duration_s=2), 1, "executed")
    assert 15 not in since(town, 1, begun_ns)
    town.shines(1, 80)


def test_an_override_survives_a_power_cut_of_its_lamp(town: Town) -> None:
    override = town.override(25, 1, duration_s=600)
    sent_at = town.becomes(override, 1, "executed")["sent_at"]
    town.lamps[1].power_off()
    begun_ns = town.power_on(1)
    town.shines(1, 25)
    # Lit without a clock, then the override, which the backend did not send again; the schedule had no turn between.
    assert since(town, 1, begun_ns) == [100, 25]
    assert town.outcome(override, 1)["sent_at"] == sent_at
    town.cancel(override, 1)
    town.shines(1, 80)
