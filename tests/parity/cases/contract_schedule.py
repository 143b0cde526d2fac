"""Schedules: read, written, digested, evaluated and explained, valid and refused."""

from contract import schedule
from contract.localtime import TimeZone, days_from_civil
from contract.schedule.packed import Programs
from contract.schedule.read import packed_from_objects

BERLIN = TimeZone("Europe/Berlin", 3600, ((1774746000, 1792890000, 3600),))


def scheduler(priority, calendars, function, off=True, name="Weekdays"):
    return {
        0: name,
        1: True,
        2: priority,
        3: calendars,
        4: function,
        6: {0: "</3416/0>"},
        7: {0: "1"},
        9: off,
    }


INSTANCES = {
    (3453, 0): {1: 1, 2: {0: "--01-01"}, 3: {0: "--12-31"}, 4: "* * 1-5"},
    (3453, 1): {1: 1, 2: {0: "--11-15"}, 3: {0: "--02-10"}, 4: "* * 0,6"},
    (3453, 2): {1: 0, 2: {0: "2026-03-29", 1: "2026-12-24"}, 3: {1: "2026-12-26"}},
    (3454, 0): {1: {0: "S~R"}, 4: {0: "S; 23:00; 05:30"}, 5: {0: "100;50;100"}, 3: {0: 0}},
    (3454, 1): {1: {0: "S-10~R+10"}, 4: {0: "S;01:30"}, 5: {0: "90;70"}, 9: {0: "1;1"}},
    (3454, 2): {4: {0: "R;02:30;S+20;23:59"}, 5: {0: "0;20;80;60"}},
    (3456, 0): {0: 1, 1: 30.0, 2: 1},
    (3456, 1): {0: 1, 1: 0.75, 2: 3},
    (3452, 0): scheduler(100, {0: 0}, 0),
    (3452, 1): scheduler(100, {0: 1}, 1, False, "Weekend"),
    (3452, 2): scheduler(5, {0: 2}, 2, False, "Holiday"),
    (3452, 3): {1: False},
}


def show(one, first_day, days):
    now_ms = days_from_civil(*first_day) * 86400000
    end_ms = now_ms + days * 86400000
    while now_ms < end_ms:
        print(now_ms, tuple(schedule.explain_at(one, now_ms)))
        print([schedule.permille_at(one, now_ms + ms) for ms in (100, 400, 1000, 10007, 29999, 30000)])
        now_ms = schedule.next_change_after(one, now_ms)


for latitude, longitude in ((52520000, 13405000), (69649200, 18955300)):
    one = schedule.from_objects(INSTANCES, latitude, longitude, BERLIN)
    print(one)
    print(schedule.digest(one), schedule.from_objects(schedule.to_objects(one), latitude, longitude, BERLIN) == one)
    for key in sorted(schedule.to_objects(one)):
        values = schedule.to_objects(one)[key]
        print(key, [(number, values[number]) for number in sorted(values)])
    packed = schedule.Schedule(Programs(packed_from_objects(INSTANCES, *one[1:])), *one[1:])
    print([tuple(program) for program in packed.programs], schedule.digest(packed))
    show(packed, (2026, 3, 27), 2)
    for first_day in ((2026, 3, 27), (2026, 6, 20), (2026, 10, 23), (2026, 12, 22)):
        show(one, first_day, 3)

WRONG = (
    ((3452, 0), 6, {0: "</3416/1>"}),
    ((3452, 0), 3, {0: 9}),
    ((3452, 0), 2, None),
    ((3452, 0), 8, True),
    ((3452, 0), 2, "1"),
    ((3453, 0), 4, "* *"),
    ((3453, 0), 4, "32 * *"),
    ((3453, 0), 2, {0: "2026-2-30"}),
    ((3453, 0), 2, {0: "2026-02-30"}),
    ((3454, 0), 4, {0: "S;25:00;05:30"}),
    ((3454, 0), 4, {0: "S;;05:30"}),
    ((3454, 0), 5, {0: "100;50"}),
    ((3454, 0), 5, {0: "100;50;101"}),
    ((3454, 0), 1, {0: "S~R,1"}),
    ((3454, 0), 7, {0: "(S~R,1)"}),
    ((3456, 0), 0, 4),
    ((3456, 0), 2, 2),
)
for key, resource, value in WRONG:
    instances = dict(INSTANCES)
    instances[key] = dict(INSTANCES[key])
    instances[key][resource] = value
    try:
        schedule.from_objects(instances, 0, 0, BERLIN)
        print("accepted", key, resource)
    except schedule.ScheduleError as error:
        print(error.path, "|", error.reason)
