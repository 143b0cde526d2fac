"""Paths: text to numbers and back, and what covers what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import paths
from contract.paths import ROOT, Path, path

numbers = st.lists(st.integers(0, paths.LAST_ID), max_size=4)


@given(numbers)
def test_a_formatted_path_parses_back(parts):
    one = Path(*(parts + [None] * (4 - len(parts))))
    assert paths.parse(paths.format(one)) == one
    assert paths.parse(paths.format(one)[1:]) == one


@pytest.mark.parametrize("text", ["", "/"])
def test_nothing_is_the_root(text):
    assert paths.parse(text) == ROOT
    assert paths.format(ROOT) == "/"


@pytest.mark.parametrize(
    "text", ["/3416/", "//", "/a", "/-1", "/3416/65535", "/99999", "/123456", "/01", "/²", "/3 ", "/3/0/1/0/5"]
)
def test_what_is_no_path_is_refused_with_advice(text):
    with pytest.raises(paths.PathError, match="write /object/instance/resource"):
        paths.parse(text)


def test_a_prefix_covers_itself_and_what_lies_below():
    assert paths.covers(path(3416, 0), path(3416, 0, 1))
    assert paths.covers(path(3416, 0), path(3416, 0))
    assert paths.covers(ROOT, path(1))
    assert not paths.covers(path(3416, 0, 1), path(3416, 0))
    assert not paths.covers(path(3416, 1), path(3416, 0, 1))
    assert not paths.covers(path(42769, 0, 12, 1), path(42769, 0, 12, 2))


def test_paths_sort_by_number_with_parents_first():
    some = [path(10), path(3, 0, 10), path(3, 0, 2), path(3), path(3, 0)]
    assert sorted(some, key=paths.order) == [path(3), path(3, 0), path(3, 0, 2), path(3, 0, 10), path(10)]


@given(st.text(max_size=12))
def test_any_text_is_a_path_or_a_path_error(text):
    try:
        assert paths.format(paths.parse(text)).lstrip("/") == text.removeprefix("/")
    except paths.PathError:
        pass
