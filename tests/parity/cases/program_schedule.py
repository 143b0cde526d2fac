"""A schedule is taken, refused, replaced in a transaction, and found again after a restart."""

from collections import namedtuple

from firmware.errors import LampError
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.parity.files import Files

Change = namedtuple("Change", ("object", "instance", "values", "kind"))

NOON = 1800014400000
HOUR = 3600000


def night(late):
    return [
        Change(3453, 0, {1: 1, 2: {0: "--10-01"}, 3: {0: "--03-31"}, 4: "* * 1-5"}, "create"),
        Change(3456, 0, {0: 1, 1: 30.0, 2: 1}, "create"),
        Change(3454, 0, {1: {0: "S~R"}, 3: {0: 0}, 4: {0: "S;23:00;R-30"}, 5: {0: f"100;{late};80"}}, "create"),
        Change(
            3452,
            0,
            {0: "N\u00e4chte", 1: True, 2: 0, 3: {0: 0}, 4: 0, 6: {0: "</3416/0>"}, 7: {0: "1"}, 9: True},
            "create",
        ),
    ]


def attempt(words, act):
    try:
        act()
        print(words, "taken")
    except LampError as error:
        print(words, error)
    print(
        program.revision, program.digest, program.is_valid, program.errors, program.is_open, program.transaction_error
    )


files = Files()
store = Store("", None, files)
settings = Settings(store, {"latitude_e6": 48137000, "longitude_e6": 11575000, "standard_offset_s": 3600})
program = Program(settings, store)
print(program.digest, program.explain_at(NOON), program.next_change_after(NOON))
attempt("create", lambda: program.prepare(night(50))())
print([program.permille_at(NOON + number * HOUR) for number in range(25)])
explanation = program.explain_at(NOON + 12 * HOUR)
print(explanation.words, program.aim_of(explanation), program.instance_of(explanation))
print([program.is_calendar_active(0, NOON + day * 24 * HOUR) for day in range(8)])
for at, values in (
    ((3454, 0), {4: {0: "25:00"}}),
    ((3452, 0), {6: {0: "</3311/0>"}}),
    ((3452, 0), {4: 9}),
    ((3453, 0), {4: "* * 9"}),
):
    attempt(at, lambda at=at, values=values: program.prepare([Change(at[0], at[1], values, "write")])())
program.clear_errors()
attempt("begin", lambda: program.prepare_begin(5, [Change(3454, 0, {5: {0: "90;20;70"}}, "write")], 0)())
attempt("wrong end", lambda: program.prepare_end(6)())
attempt("end", lambda: program.prepare_end(5)())
attempt("begin", lambda: program.prepare_begin(7, [], 0)())
attempt("timeout", lambda: program.poll(600000))
settings.set({"standard_offset_s": 7200})
print(Program(settings, store).digest == program.digest, sorted(files.files))
attempt("reset", program.reset)
