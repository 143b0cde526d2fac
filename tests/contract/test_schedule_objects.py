"""Schedules from the instances of 3452, 3453, 3454 and 3456: what is read, what is refused, and with which words."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import limits
from contract import schedule as s
from contract.localtime import UTC, TimeZone
from contract.schedule import syntax
from contract.schedule.digest import canonical
from tests.contract.places import time_zone

PLACE = 52520000, 13405000, UTC


def scheduler(calendar, function, **more):
    values = {1: True, 2: 100, 3: {0: calendar}, 4: function, 6: {0: "</3416/0>"}, 7: {0: "1"}, 9: True}
    return {**values, **more}


# The worked example that third parties follow: 100 % at dusk, 50 % from 23:00 to 05:30 (70 % at weekends), off at dawn.
EXAMPLE = {
    (3453, 0): {1: 1, 2: {0: "--01-01"}, 3: {0: "--12-31"}, 4: "* * 1-5"},
    (3453, 1): {1: 1, 2: {0: "--01-01"}, 3: {0: "--12-31"}, 4: "* * 0,6"},
    (3454, 0): {1: {0: "S~R"}, 4: {0: "S;23:00;05:30"}, 5: {0: "100;50;100"}, 3: {0: 0}},
    (3454, 1): {1: {0: "S~R"}, 4: {0: "S;23:00;05:30"}, 5: {0: "100;70;100"}, 3: {0: 0}},
    (3456, 0): {0: 1, 1: 30.0, 2: 1},
    (3452, 0): scheduler(0, 0),
    (3452, 1): scheduler(1, 1),
}


def read(changes=()):
    """The example with some resources changed: {(object, instance, resource): value, None removes}."""
    instances = copy.deepcopy(EXAMPLE)
    for (item, instance, resource), value in dict(changes).items():
        if value is None:
            del instances[item, instance][resource]
        else:
            instances[item, instance][resource] = value
    return s.from_objects(instances, *PLACE)


def test_the_worked_example_is_understood():
    year = ((s.Date(None, 1, 1), s.Date(None, 12, 31)),)
    steps = (s.Step(s.SUNSET, 0, 100), s.Step(s.FIXED, 1380, 50), s.Step(s.FIXED, 330, 100))
    weekdays = s.Program(
        "",
        100,
        (s.CalendarRule(True, year, (), (), (1, 2, 3, 4, 5)),),
        (s.Moment(s.SUNSET, 0), s.Moment(s.SUNRISE, 0)),
        steps,
        30,
        True,
    )
    weekend = weekdays._replace(
        calendars=(s.CalendarRule(True, year, (), (), (0, 6)),), steps=(steps[0], steps[1]._replace(level=70), steps[2])
    )
    assert read() == s.Schedule((weekdays, weekend), *PLACE)


def test_no_instances_are_an_empty_schedule():
    assert s.from_objects({}, *PLACE) == s.Schedule((), *PLACE)


def test_disabled_schedulers_and_unused_instances_are_ignored():
    instances = copy.deepcopy(EXAMPLE)
    instances[3452, 1] = {1: False}
    instances[3454, 7] = {4: {0: "nonsense"}}
    assert len(s.from_objects(instances, *PLACE).programs) == 1


def test_programs_are_ordered_by_priority_and_then_by_instance():
    first = read({(3452, 0, 2): 7, (3452, 1, 2): -3}).programs
    assert [program.priority for program in first] == [-3, 7]
    assert [program.steps[1].level for program in read().programs] == [50, 70]


def test_optional_resources_may_be_absent():
    one = read(
        {
            (3452, 0, 3): None,
            (3452, 0, 9): None,
            (3453, 1, 1): None,
            (3453, 1, 2): None,
            (3453, 1, 3): None,
            (3453, 1, 4): None,
            (3454, 0, 1): None,
            (3454, 0, 3): None,
            (3456, 0, 1): None,
            (3456, 0, 2): None,
        }
    ).programs
    assert one[0].calendars == () and one[0].active is None and not one[0].off_when_inactive and one[0].fade_s == 0
    assert one[1].calendars == (s.CalendarRule(False, (), (), (), ()),) and one[1].fade_s == 0


def test_a_start_date_alone_is_one_day_and_an_empty_end_date_is_none():
    for ends in ({}, {0: ""}):
        rule = read({(3453, 0, 2): {0: "2026-12-24"}, (3453, 0, 3): ends}).programs[0].calendars[0]
        assert rule.ranges == ((s.Date(2026, 12, 24), s.Date(2026, 12, 24)),)


def test_a_multiple_resource_written_as_one_value_is_its_first_instance():
    assert read({(3454, 0, 4): "S;23:00;05:30"}) == read()


@pytest.mark.parametrize(
    ("filters", "fade_s"),
    [({2: 0, 1: 30.0}, None), ({2: 3, 1: 0.25}, 0.25), ({2: 0, 1: 0.0}, 0), ({0: 1}, 0), ({1: 7}, 7), ({3: 0.0}, 0)],
)
def test_an_output_filter_is_a_fade(filters, fade_s):
    instances = copy.deepcopy(EXAMPLE)
    instances[3456, 0] = {0: 1, **filters}
    if fade_s is None:
        with pytest.raises(s.ScheduleError, match="/3456/0/2: immediate with a delay is not supported; write 1"):
            s.from_objects(instances, *PLACE)
    else:
        assert s.from_objects(instances, *PLACE).programs[0].fade_s == fade_s


def test_filters_of_single_steps_may_say_the_same_in_other_words():
    assert read({(3454, 0, 9): {0: "0;;0"}}) == read()
    assert read({(3454, 0, 9): {0: "0;0;0"}, (3454, 0, 3): None}) == read()


SENSORS = "sensors as input are not supported"


@pytest.mark.parametrize(
    ("where", "value", "path", "reason"),
    [
        # 3452
        ((3452, 0, 0), "x" * 33, "/3452/0/0", "longer than 32 bytes"),
        ((3452, 0, 0), 5, "/3452/0/0", "must be text"),
        ((3452, 0, 1), None, "/3452/0/1", "is missing: State is mandatory"),
        ((3452, 0, 1), 1, "/3452/0/1", "must be true or false"),
        ((3452, 0, 2), None, "/3452/0/2", "is missing: Priority is mandatory"),
        ((3452, 0, 2), "1", "/3452/0/2", "must be a whole number"),
        ((3452, 0, 2), True, "/3452/0/2", "must be a whole number"),
        ((3452, 0, 2), 1 << 40, "programs/1/priority", "must be a whole number from"),
        ((3452, 0, 3), {0: 9}, "/3452/0/3", "refers to /3453/9, which does not exist"),
        ((3452, 0, 3), {0: 0, 1: 0, 2: 0, 3: 0, 4: 0}, "/3452/0/3", "has 5 entries, at most 4 fit"),
        ((3452, 0, 3), {0: "0"}, "/3452/0/3/0", "must be a whole number"),
        ((3452, 0, 4), None, "/3452/0/4", "is missing: Program Function is mandatory"),
        ((3452, 0, 4), 9, "/3452/0/4", "refers to /3454/9, which does not exist"),
        ((3452, 0, 5), {0: "</3302/0/5500>"}, "/3452/0/5", SENSORS),
        ((3452, 0, 6), {}, "/3452/0/6", "has 0 instances, Output Instances needs one"),
        ((3452, 0, 6), {0: "</3416/0>", 1: "</3416/1>"}, "/3452/0/6", "has 2 instances"),
        (
            (3452, 0, 6),
            {0: "</3416/1>"},
            "/3452/0/6/0",
            "'</3416/1>' is not supported; the lamp's output is '</3416/0>'",
        ),
        ((3452, 0, 7), {0: "39"}, "/3452/0/7/0", "'39' is not supported; the lamp's output is '1'"),
        ((3452, 0, 8), True, "/3452/0/8", "compound operations are not supported"),
        # 3453
        ((3453, 0, 1), 2, "/3453/0/1", "must be 0 (day) or 1 (night)"),
        ((3453, 0, 2), {0: "2026-1-1"}, "/3453/0/2/0", "'2026-1-1' is no date"),
        ((3453, 0, 2), {0: "2026/01-01"}, "/3453/0/2/0", "'2026/01-01' is no date"),
        ((3453, 0, 2), {0: "20260-01-1"}, "/3453/0/2/0", "is no date"),
        ((3453, 0, 2), {0: "--13-01"}, "/3453/0/2/0", "month must be a whole number from 1 to 12"),
        ((3453, 0, 2), {0: "--02-30"}, "/3453/0/2/0", "day must be a whole number from 1 to 29"),
        ((3453, 0, 2), {0: "1969-01-01"}, "/3453/0/2/0", "year must be a whole number from 1970"),
        ((3453, 0, 2), {0: "2027-02-29"}, "/3453/0/2/0", "day must be a whole number from 1 to 28"),
        ((3453, 0, 2), {0: "2026-01-01"}, "/3453/0/2/0", "starts every year and ends once"),
        ((3453, 0, 2), {1: "--01-01"}, "/3453/0/3/0", "has no start date of this number"),
        ((3453, 0, 2), dict.fromkeys(range(17), "--01-01"), "/3453/0/2", "has 17 entries, at most 16 fit"),
        ((3453, 0, 3), {0: "tomorrow"}, "/3453/0/3/0", "'tomorrow' is no date"),
        ((3453, 0, 4), "* *", "/3453/0/4", "'* *' is no date rule; write three fields"),
        ((3453, 0, 4), "0 * *", "/3453/0/4", "'0' must ascend and lie from 1 to 31"),
        ((3453, 0, 4), "* 1-13 *", "/3453/0/4", "'1-13' must ascend and lie from 1 to 12"),
        ((3453, 0, 4), "* * 8", "/3453/0/4", "'8' must ascend and lie from 0 to 7"),
        ((3453, 0, 4), "* * 5-1", "/3453/0/4", "'5-1' must ascend"),
        ((3453, 0, 4), "*/2 * *", "/3453/0/4", "'*/2' is no number, range such as 1-5, or *"),
        ((3453, 0, 4), "1-2-3 * *", "/3453/0/4", "'1-2-3' is no number"),
        ((3453, 0, 4), "001 * *", "/3453/0/4", "'001' is no number"),
        ((3453, 0, 4), "* * MON", "/3453/0/4", "'MON' is no number"),
        # 3454
        ((3454, 0, 1), {0: "S~R,1"}, "/3454/0/1/0", "conditions on sensors are not supported"),
        ((3454, 0, 1), {0: "S"}, "/3454/0/1/0", "'S' is no time range; write start~end, start~ or ~end"),
        ((3454, 0, 1), {0: "~"}, "/3454/0/1/0", "is no time range"),
        ((3454, 0, 1), {0: "S~R~S"}, "/3454/0/1/0", "is no time range"),
        ((3454, 0, 1), {0: "S~7:00"}, "/3454/0/1/0", "'7:00' is no time; write hh:mm, S, R, S+30 or R-20"),
        ((3454, 0, 1), {0: "S~S"}, "programs/0/active", "has no length"),
        ((3454, 0, 1), {0: "S~R", 1: "~02:00"}, "/3454/0/1", "has 2 instances, Run Condition needs one"),
        ((3454, 0, 4), None, "/3454/0/4", "has 0 instances, Time Input Array needs one"),
        ((3454, 0, 4), {0: "S;;05:30"}, "/3454/0/4/0", "has an empty entry"),
        ((3454, 0, 4), {0: ""}, "/3454/0/4/0", "has an empty entry"),
        ((3454, 0, 4), {0: ";".join(["S"] * 25)}, "/3454/0/4/0", "has 25 entries, at most 24 fit"),
        ((3454, 0, 4), {0: "S;24:00;05:30"}, "/3454/0/4/0", "'24:00' is no time"),
        ((3454, 0, 4), {0: "S;23:60;05:30"}, "/3454/0/4/0", "'23:60' is no time"),
        ((3454, 0, 4), {0: "S;23:00:00;05:30"}, "/3454/0/4/0", "'23:00:00': seconds are not supported; write hh:mm"),
        ((3454, 0, 4), {0: "S30;23:00;05:30"}, "/3454/0/4/0", "'S30' is no time; write S+30 or S-20"),
        ((3454, 0, 4), {0: "S+;23:00;05:30"}, "/3454/0/4/0", "'S+' is no time"),
        ((3454, 0, 4), {0: "R-721;23:00;05:30"}, "/3454/0/4/0", "'R-721' is more than 720 minutes away"),
        ((3454, 0, 4), {0: "R-99999999999;23:00;05:30"}, "/3454/0/4/0", "is more than 720 minutes away"),
        ((3454, 0, 4), {0: "s;23:00;05:30"}, "/3454/0/4/0", "'s' is no time"),
        ((3454, 0, 5), {0: "100;50"}, "/3454/0/5/0", "has 2 levels for 3 times; write one for each"),
        ((3454, 0, 5), {0: "100;50;101"}, "/3454/0/5/0", "'101' is no level; write a whole number from 0 to 100"),
        ((3454, 0, 5), {0: "100;50;-1"}, "/3454/0/5/0", "'-1' is no level"),
        ((3454, 0, 5), {0: "100;50;9999"}, "/3454/0/5/0", "'9999' is no level"),
        ((3454, 0, 5), {0: "100;50.5;10"}, "/3454/0/5/0", "'50.5' is no level"),
        ((3454, 0, 6), {0: "1"}, "/3454/0/6", SENSORS),
        ((3454, 0, 7), {0: "(S~R,1)"}, "/3454/0/7", SENSORS),
        ((3454, 0, 8), {0: "10"}, "/3454/0/8", SENSORS),
        ((3454, 0, 10), {0: "0"}, "/3454/0/10", SENSORS),
        ((3454, 0, 3), {0: 5}, "/3454/0/3", "refers to /3456/5, which does not exist"),
        ((3454, 0, 9), {0: "0;x;0"}, "/3454/0/9/0", "must be a number of a filter, or nothing, for each time"),
        ((3454, 0, 9), {0: "0;0;0;0"}, "/3454/0/9/0", "must be a number of a filter"),
        # 3456
        ((3456, 0, 0), 4, "/3456/0/0", "only 1 (set) is supported"),
        ((3456, 0, 1), -1.0, "/3456/0/1", "must be from 0 to 3600 seconds"),
        ((3456, 0, 1), float("nan"), "/3456/0/1", "must be from 0 to 3600 seconds"),
        ((3456, 0, 1), "30", "/3456/0/1", "must be a number"),
        ((3456, 0, 2), 2, "/3456/0/2", "this progression is not supported; write 1 (linear)"),
        ((3456, 0, 3), 60.0, "/3456/0/3", "is not supported"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place_and_reason(where, value, path, reason):
    with pytest.raises(s.ScheduleError) as caught:
        read({where: value})
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert str(caught.value) == f"{path}: {caught.value.reason}"


def test_what_is_unsupported_may_stand_there_empty():
    empty = {(3452, 0, 5): {0: ""}, (3452, 0, 8): False, (3454, 0, 6): {}, (3454, 0, 7): {0: ""}}
    assert read(empty) == read()


def test_one_fade_for_a_program():
    instances = copy.deepcopy(EXAMPLE)
    instances[3456, 1] = {0: 1, 1: 5.0}
    instances[3454, 0][9] = {0: "0;1"}
    with pytest.raises(s.ScheduleError, match="/3454/0/9: gives the steps different fades"):
        s.from_objects(instances, *PLACE)


def test_more_programs_than_fit_are_refused():
    instances = copy.deepcopy(EXAMPLE)
    for number in range(limits.PROGRAMS + 1):
        instances[3452, number] = scheduler(0, 0)
    with pytest.raises(s.ScheduleError, match="/3452: 9 programs are enabled, at most 8 fit"):
        s.from_objects(instances, *PLACE)


def test_sunday_is_0_and_7():
    assert syntax.parse_date_rule("", "* * 5-7") == ((), (), (0, 5, 6))
    assert syntax.parse_date_rule("", "1-3,10 2 *") == ((1, 2, 3, 10), (2,), ())


def test_spaces_between_entries_do_not_matter():
    assert read({(3454, 0, 4): {0: " S + 0 ; 23:00 ;05:30 "}, (3454, 0, 1): {0: "S ~ R"}}) == read()


@given(
    st.text(alphabet="SR0123456789:;~+-,* ()é", max_size=20),
    st.sampled_from([(3453, 0, 4), (3454, 0, 1), (3454, 0, 4), (3454, 0, 5), (3454, 0, 9), (3453, 0, 2)]),
)
def test_any_string_is_read_or_refused(text, where):
    value = text if where == (3453, 0, 4) else {0: text}
    try:
        s.digest(read({where: value}))
    except s.ScheduleError as error:
        assert error.reason


def test_the_digest_is_frozen():
    """Lamps in the field compute it: a change here makes every backend send every schedule again."""
    one = s.from_objects(
        EXAMPLE, 52520000, 13405000, TimeZone("Europe/Berlin", 3600, ((1774746000, 1792890000, 3600),))
    )
    assert canonical(one).splitlines() == [
        "1 52520000 13405000 3600 1774746000,1792890000,3600",
        "1:0~2:0 1:0=100;0:1380=50;0:330=100 30000 1 1/0-1-1~0-12-31///1,2,3,4,5",
        "1:0~2:0 1:0=100;0:1380=70;0:330=100 30000 1 1/0-1-1~0-12-31///0,6",
    ]
    assert s.digest(one) == "b79e7cd068485fbd"


def test_the_digest_changes_with_all_that_decides_the_light_and_with_nothing_else():
    one = read()
    program = one.programs[0]
    rule = program.calendars[0]
    changed = [
        one._replace(latitude_e6=1),
        one._replace(longitude_e6=1),
        one._replace(time_zone=time_zone("Europe/Berlin")),
        one._replace(time_zone=UTC._replace(standard_offset_s=60)),
        one._replace(programs=one.programs[:1]),
        one._replace(programs=one.programs[::-1]),
    ]
    for other in (
        program._replace(fade_s=30.001),
        program._replace(active=None),
        program._replace(active=(None, program.active[1])),
        program._replace(steps=program.steps[:2]),
        program._replace(steps=(program.steps[0]._replace(level=99), *program.steps[1:])),
        program._replace(off_when_inactive=False),
        program._replace(calendars=()),
        program._replace(calendars=(rule._replace(night=False),)),
        program._replace(calendars=(rule._replace(ranges=()),)),
        program._replace(calendars=(rule._replace(days=(1,)),)),
        program._replace(calendars=(rule._replace(months=(1,)),)),
        program._replace(calendars=(rule._replace(weekdays=(1,)),)),
    ):
        changed.append(one._replace(programs=(other, *one.programs[1:])))
    digests = [s.digest(other) for other in (one, *changed)]
    assert len(set(digests)) == len(digests)
    renamed = program._replace(name="Other", priority=5, fade_s=30.0)
    assert s.digest(one._replace(programs=(renamed, *one.programs[1:]))) == digests[0]


def test_shared_rules_and_fades_are_written_once():
    rule = s.CalendarRule(True, (), (), (), (1,))
    steps = (s.Step(s.FIXED, 0, 10),)
    programs = tuple(s.Program(str(n), n, (rule,), None, steps, 30, False) for n in range(3))
    instances = s.to_objects(s.Schedule(programs, *PLACE))
    assert sorted(key for key in instances if key[0] in (3453, 3456)) == [(3453, 0), (3456, 0)]
    assert sorted(key for key in instances if key[0] in (3452, 3454)) == [
        (o, n) for o in (3452, 3454) for n in range(3)
    ]


def test_an_open_active_period_is_written_open():
    assert syntax.format_active((None, s.Moment(s.SUNRISE, -20))) == "~R-20"
    assert syntax.format_active((s.Moment(s.FIXED, 1080), None)) == "18:00~"
