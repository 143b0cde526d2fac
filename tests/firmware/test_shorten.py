"""Private names are shortened for the image, and only where nobody else can mean them."""

import ast

from firmware import image
from firmware.tools.shorten import shorten

LAMP = """
class Meter:
    _shared = 1

    def __init__(self):
        self._energy = 0
        self._other = 2
        self._spelt = 3
        self._shown = 4

    async def _add(self, wh):
        self._energy += wh
        return f"{self._shown}", getattr(self, "_spelt"), self._shared

class Base:
    def _step(self):
        return 1

class Derived(Base):
    def _more(self):
        return self._step() + 1

class Clock:
    def __init__(self):
        self._rate = 1
"""
ELSEWHERE = """
def look(meter):
    return meter._other
"""


def test_what_a_class_keeps_to_itself_is_named_alike_in_all_classes() -> None:
    short = shorten({"lamp": LAMP, "elsewhere": ELSEWHERE})
    assert "self._1 = 0" in short["lamp"]
    assert "async def _0(self, wh):\n        self._1 += wh" in short["lamp"]
    assert "self._0 = 1" in short["lamp"]
    assert len(short["lamp"].splitlines()) == len(LAMP.splitlines())


def test_what_is_reached_in_another_way_keeps_its_name() -> None:
    short = shorten({"lamp": LAMP, "elsewhere": ELSEWHERE})
    for name in ("_other", "_spelt", "_shown", "_shared"):
        assert f"self.{name}" in short["lamp"]
    assert short["elsewhere"] == ELSEWHERE


def test_classes_that_inherit_from_each_other_share_their_names() -> None:
    short = shorten({"lamp": LAMP})["lamp"]
    scope: dict = {}
    exec(compile(short, "lamp", "exec"), scope)
    assert scope["Derived"]()._0() == 2
    assert "def _1(self):\n        return 1" in short


def test_a_class_that_others_build_on_from_afar_is_left_alone() -> None:
    heir = "from lamp import Clock as Timer\n\nclass Fast(Timer):\n    def _go(self):\n        return self._rate\n"
    short = shorten({"lamp": LAMP, "heir": heir})
    assert "self._rate = 1" in short["lamp"]
    assert short["heir"] == heir


def test_the_whole_lamp_is_shortened_and_no_private_name_is_left_without_its_definition() -> None:
    texts = image.link(True).texts
    short = shorten(texts)
    for module, text in short.items():
        assert len(text.splitlines()) == len(texts[module].splitlines())
    named = {node.attr for node in ast.walk(ast.parse(short["firmware.app"])) if isinstance(node, ast.Attribute)}
    before = {node.attr for node in ast.walk(ast.parse(texts["firmware.app"])) if isinstance(node, ast.Attribute)}
    assert len(named) < len(before) - 150
