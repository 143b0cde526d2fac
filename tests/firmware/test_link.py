"""The joined image means what its modules mean; every case here once was, or would be, another program."""

import ast

import pytest

from firmware.image import link
from firmware.tools.link import Linked, local_names


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


def test_local_names_are_found_wherever_a_function_binds_them() -> None:
    text = (
        "TOP = 1\n"
        "def f(a, *b, c=1, **d):\n"
        "    e = 1\n"
        "    for g in ():\n        pass\n"
        "    with x as h:\n        pass\n"
        "    try:\n        import i.j as k, l\n    except E as m:\n        pass\n"
        "    def n(o):\n        pass\n"
        "    p = lambda q: q\n"
        "    return [r for r in ()]\n"
    )
    assert local_names(text) == set("abcdeghklmnopqr")


@pytest.mark.parametrize("simulated", [False, True])
def test_no_function_of_the_image_reads_a_name_that_it_binds_itself_for_another_meaning(simulated: bool) -> None:
    """A global of a joined module, under its final name, is no local of any function."""
    linked = link(simulated)
    for root in linked.roots:
        text = linked.texts[root]
        own = set(linked.units[root].names)
        defined = {
            name
            for statement in ast.parse(text).body
            for node in ast.walk(statement)
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and node is statement
            for name in [statement.name]
        }
        assert not (defined - own) & local_names(text)
