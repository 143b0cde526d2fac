import pytest
from sqlalchemy import select

from backend.device_server import repository
from backend.device_server.credentials import Credentials
from backend.device_server.errors import CredentialConflict, CredentialInvalid
from backend.device_server.models import Credential
from tests.backend.device_server.peers import FakeClock

KEYS = {"endpoint": "a", "sender_id": b"\x11", "secret": b"k" * 16, "salt": b"s" * 8}


class Changes:
    def __init__(self):
        self.lamps = []
        self.credentials = Credentials(FakeClock(), self.lamps.append)

    def add(self, database, lamp_id=1, **changes):
        with database.session(writes=True) as session:
            self.credentials.add(session, lamp_id, **{**KEYS, **changes})

    def revoke(self, database, lamp_id=1):
        with database.session(writes=True) as session:
            self.credentials.revoke(session, lamp_id)


@pytest.fixture
def keys():
    return Changes()


def rows(database):
    with database.reading() as connection:
        return connection.execute(select(repository.credentials).order_by("lamp_id")).mappings().all()


def use(database, numbers):
    with database.writing() as connection:
        for row in rows(database):
            repository.reserve_sequence_numbers(connection, row["lamp_id"], row["secret"], numbers)


def test_keys_are_added_and_found_by_their_id(keys, any_database):
    keys.add(any_database)
    with any_database.reading() as connection:
        assert repository.find_keys(connection, b"\x11")["lamp_id"] == 1
        assert repository.find_keys(connection, b"\x12") is None
        assert repository.find_keys_by_lamp(connection, 1)["endpoint"] == "a"
        assert repository.find_lamp_by_endpoint(connection, "a") == 1
    assert keys.lamps == [1, 1], "when it was written, and after the commit"


def test_a_revoked_key_is_not_found(keys, any_database):
    keys.add(any_database)
    keys.revoke(any_database)
    with any_database.writing() as connection:
        assert repository.find_keys(connection, b"\x11") is None
        assert repository.find_keys_by_lamp(connection, 1) is None
        assert repository.find_lamp_by_endpoint(connection, "a") is None
        assert repository.reserve_sequence_numbers(connection, 1, KEYS["secret"], 10) is None
        assert repository.all_registrations(connection) == []
    keys.revoke(any_database, 99)


def test_adding_the_same_keys_again_brings_no_nonce_back(keys, any_database):
    keys.add(any_database)
    use(any_database, 256)
    keys.add(any_database)
    assert rows(any_database)[0]["ssn_reserved"] == 256
    keys.add(any_database, secret=b"n" * 16)
    keys.add(any_database)
    assert rows(any_database)[0]["ssn_reserved"] == 256, "the first keys are back, and so are their nonces"
    with any_database.writing() as connection:
        assert repository.reserve_sequence_numbers(connection, 1, b"n" * 16, 10) is None
        assert repository.reserve_sequence_numbers(connection, 1, KEYS["secret"], 10) == 256


def test_a_controller_may_move_to_another_lamp_when_the_first_gave_it_up(keys, any_database):
    keys.add(any_database)
    use(any_database, 512)
    with pytest.raises(CredentialConflict, match="endpoint a belongs to another lamp"):
        keys.add(any_database, 2)
    with pytest.raises(CredentialConflict, match="sender id belongs to another lamp"):
        keys.add(any_database, 2, endpoint="b")
    keys.revoke(any_database)
    keys.add(any_database, 2)
    (row,) = rows(any_database)
    assert (row["lamp_id"], row["ssn_reserved"], row["revoked_real_ms"]) == (2, 512, None)


def test_a_lamp_without_keys_takes_no_sender_id(keys, any_database):
    keys.add(any_database, sender_id=None, secret=None)
    keys.add(any_database, 2, endpoint="b", sender_id=None, secret=None)
    assert [row["sender_id"] for row in rows(any_database)] == [None, None]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"endpoint": ""}, "endpoint"),
        ({"endpoint": "x" * 191}, "endpoint"),
        ({"endpoint": "a\n"}, "endpoint"),
        ({"sender_id": b""}, "sender id: 1 to 7"),
        ({"sender_id": b"12345678"}, "sender id: 1 to 7"),
        ({"sender_id": b"\x01"}, "which is the server's"),
        ({"sender_id": None}, "belong together"),
        ({"secret": None}, "belong together"),
        ({"secret": b"short"}, "secret: 16 to 64"),
        ({"salt": b"x" * 65}, "salt: at most 64"),
    ],
)
def test_keys_that_oscore_cannot_use_are_refused(keys, database, changes, reason):
    with pytest.raises(CredentialInvalid, match=reason):
        keys.add(database, **changes)
    assert rows(database) == []


def test_a_credential_shows_no_key():
    shown = Credential(lamp_id=1, endpoint="a", sender_id=b"\x11", secret=b"secret-secret-16", salt=b"salty")
    for text in (repr(shown), str(shown)):
        assert text == "Credential(lamp_id=1, endpoint='a')"
