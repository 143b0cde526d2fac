import pytest

from backend.device_server.sessions import Session, Sessions


class Where:
    """An address, as `tuning.Address` is one."""

    def __init__(self, text):
        self.text = text


HERE, THERE = Where("[::1]:1"), Where("[::1]:2")


@pytest.fixture
def sessions():
    held = Sessions()
    held.put(Session(7, "a", location="x", registered=True, remote=HERE, heard_ms=5, saved_ms=5))
    return held


def test_an_address_changes_with_every_message(sessions):
    sessions.heard(7, "a", THERE, 9)
    (view,) = sessions.snapshot()
    assert (view.address, view.last_heard_real_ms, view.registered) == (THERE.text, 9, True)


def test_a_lamp_that_never_registered_is_known_when_it_was_heard(sessions):
    sessions.heard(8, "b", HERE, 9)
    assert not sessions.find(8).registered and len(sessions) == 2


def test_what_was_heard_since_is_unsaved_once(sessions):
    assert sessions.take_unsaved() == []
    sessions.heard(7, "a", THERE, 9)
    assert sessions.take_unsaved() == [(7, 9, THERE.text)]
    assert sessions.take_unsaved() == []
    sessions.unsave([7, 99])
    assert sessions.take_unsaved() == [(7, 9, THERE.text)]


def test_a_location_ends_with_its_registration(sessions):
    session = sessions.find_location("x")
    sessions.put(Session(7, "a", location="y", registered=True, remote=HERE))
    assert sessions.find_location("x") is None and sessions.find_location("y") is not session
    sessions.deregister(sessions.find(7))
    assert sessions.find_location("y") is None and sessions.find(7) is not None
    sessions.forget(7)
    sessions.forget(7)
    assert sessions.find(7) is None


def test_a_laboratory_lamp_is_its_address():
    sessions = Sessions()
    sessions.put(Session(7, "a", remote=HERE, protected=False))
    assert sessions.find_address(HERE).lamp_id == 7
    sessions.forget(7)
    assert sessions.find_address(HERE) is None
    sessions.put(Session(7, "a", protected=False))
    assert sessions.snapshot()[0].address == ""
