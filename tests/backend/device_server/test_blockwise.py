import pytest

from backend.device_server.blockwise import LIFETIME_MS, Assembler
from backend.device_server.errors import BAD_REQUEST, INCOMPLETE, TOO_LARGE, UNAVAILABLE, Refusal


def refused(code, call, *arguments):
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    assert caught.value.code == code


@pytest.fixture
def assembler():
    return Assembler(max_bytes=64, max_assemblies=2)


def test_blocks_become_a_body(assembler):
    assert assembler.feed("a", 0, True, 0, b"x" * 16, 0) is None
    assert assembler.feed("b", 0, True, 0, b"z" * 16, 0) is None
    assert assembler.feed("a", 1, True, 0, b"y" * 16, 0) is None
    assert assembler.feed("a", 2, False, 0, b"end", 0) == b"x" * 16 + b"y" * 16 + b"end"
    assert len(assembler) == 1


def test_a_smaller_block_size_goes_on_where_it_was(assembler):
    assert assembler.feed("a", 0, True, 1, b"x" * 32, 0) is None
    assert assembler.feed("a", 2, False, 0, b"end", 0) == b"x" * 32 + b"end"


def test_a_first_block_begins_again(assembler):
    assembler.feed("a", 0, True, 0, b"x" * 16, 0)
    assert assembler.feed("a", 0, False, 0, b"new", 0) == b"new"


def test_a_gap_an_unknown_upload_and_an_old_one_are_incomplete(assembler):
    refused(INCOMPLETE, assembler.feed, "a", 1, False, 0, b"", 0)
    assembler.feed("a", 0, True, 0, b"x" * 16, 0)
    refused(INCOMPLETE, assembler.feed, "a", 2, False, 0, b"", 0)
    assembler.feed("a", 0, True, 0, b"x" * 16, 0)
    refused(INCOMPLETE, assembler.feed, "a", 1, False, 0, b"", LIFETIME_MS)


def test_blocks_of_the_wrong_size_are_refused(assembler):
    refused(BAD_REQUEST, assembler.feed, "a", 0, True, 0, b"short", 0)
    refused(BAD_REQUEST, assembler.feed, "a", 0, False, 0, b"x" * 17, 0)
    refused(BAD_REQUEST, assembler.feed, "a", 0, False, 7, b"", 0)


def test_a_body_has_a_limit(assembler):
    for number in range(4):
        assembler.feed("a", number, True, 0, b"x" * 16, 0)
    refused(TOO_LARGE, assembler.feed, "a", 4, False, 0, b"x", 0)
    assert len(assembler) == 0


def test_uploads_have_a_limit_and_old_ones_make_room(assembler):
    assembler.feed("a", 0, True, 0, b"x" * 16, 0)
    assembler.feed("b", 0, True, 0, b"x" * 16, 5)
    refused(UNAVAILABLE, assembler.feed, "c", 0, True, 0, b"x" * 16, 5)
    assert assembler.feed("c", 0, True, 0, b"x" * 16, LIFETIME_MS) is None
    assert len(assembler) == 2
