"""The joined image means what its modules mean; every case here once was, or would be, another program."""

import pytest

from firmware.image import link
from firmware.tools.link import Linked, LinkError


def run(**modules: str) -> dict[str, object]:
    """The names of the joined module `app` after it has run."""
    texts = {name.replace("_dot_", "."): text for name, text in modules.items()}
    names: dict[str, object] = {"__name__": "app"}
    exec(compile(Linked(texts, ["app"]).texts["app"], "app", "exec"), names)
    return names


def test_a_name_behind_a_module_does_not_meet_a_functions_own() -> None:
    sun = "def events(day):\n    return day + 1\n"
    app = "import sun\ndef rise(day):\n    events = sun.events(day)\n    return events\nfound = rise(1)\n"
    assert run(sun=sun, app=app)["found"] == 2


def test_nor_a_parameter_nor_a_loop_variable() -> None:
    sun = "def events(day):\n    return day + 1\n"
    app = (
        "import sun\n"
        "def by_parameter(events):\n    return sun.events(events)\n"
        "def by_loop():\n    return [sun.events(events) for events in (1, 2)]\n"
        "found = (by_parameter(4), by_loop())\n"
    )
    assert run(sun=sun, app=app)["found"] == (5, [2, 3])


def test_two_modules_with_one_name_keep_two_meanings() -> None:
    one, two = "SIZE = [1]\ndef size():\n    return SIZE\n", "SIZE = [2]\ndef size():\n    return SIZE\n"
    app = "import one\nimport two\nfound = (one.size(), two.size(), one.SIZE, two.SIZE)\n"
    assert run(one=one, two=two, app=app)["found"] == ([1], [2], [1], [2])


def test_what_nobody_uses_is_left_out() -> None:
    names = run(lib="def used():\n    return 1\ndef unused():\n    return 2\n", app="import lib\nfound = lib.used()\n")
    assert names["found"] == 1
    assert "unused" not in names


def test_what_a_module_makes_when_asked_is_asked_of_it() -> None:
    made = "def __getattr__(name):\n    return name.lower()\n"
    assert run(made=made, app="import made\nfound = [made.RED, made.BLUE]\n")["found"] == ["red", "blue"]


def test_classes_and_comprehensions_keep_their_own_names() -> None:
    lib = "SIZE = [1]\nclass Box:\n    SIZE = 5\n    def size(self):\n        return SIZE, self.SIZE\n"
    app = "import lib\nSIZE = 9\nfound = (lib.Box().size(), [SIZE for SIZE in (3, 4)], SIZE)\n"
    assert run(lib=lib, app=app)["found"] == (([1], 5), [3, 4], 9)


def test_a_global_statement_follows_its_name() -> None:
    one = "count = 0\ndef step():\n    global count\n    count += 1\n    return count\n"
    app = "import one\ncount = 10\nfound = (one.step(), one.step(), count)\n"
    assert run(one=one, app=app)["found"] == (1, 2, 10)


def test_a_module_that_is_handled_as_an_object_stays_one() -> None:
    linked = Linked({"app": "import lib\nparts = [lib]\n", "lib": "def f():\n    return 1\n"}, ["app"])
    assert set(linked.texts) == {"app", "lib"}
    assert "import lib" in linked.texts["app"]


def test_a_name_that_is_missing_is_found_before_the_lamp_is() -> None:
    with pytest.raises(LinkError, match="nothing is called nowhere"):
        Linked({"app": "def f():\n    return nowhere\n"}, ["app"])
    with pytest.raises(LinkError, match="lib has no gone"):
        Linked({"app": "from lib import gone\nfound = gone\n", "lib": "there = 1\n"}, ["app"])


def test_a_line_of_the_joined_module_is_found_in_its_source() -> None:
    linked = Linked({"lib": "\n\ndef f():\n    return 1\n", "app": "import lib\n\nfound = lib.f()\n"}, ["app"])
    lines = linked.texts["app"].splitlines()
    assert linked.locate("app", lines.index("def f():") + 1) == ("lib", 3)
    assert linked.locate("app", lines.index("found = f()") + 1) == ("app", 3)


@pytest.mark.parametrize("simulated", [False, True])
def test_the_whole_lamp_is_joined(simulated: bool) -> None:
    linked = link(simulated)
    # Packages that hold a borrowed module stay beside what is asked for by name.
    assert len(set(linked.texts) - set(linked.roots)) < 14
    for name, text in linked.texts.items():
        compile(text, name, "exec")
