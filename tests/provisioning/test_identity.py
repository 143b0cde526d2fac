"""Keys are drawn once, are never shown, and are gone when they are wiped; the lamp takes what is written."""

import json

import pytest

from contract import limits
from firmware.identity import Identity
from provisioning import identity
from provisioning.errors import Failure

MAC = bytes.fromhex("240ac400beef")
REST = {
    "serial": "SL-0001",
    "server_host": "lights.example",
    "server_port": 5683,
    "wifi_ssid": "street",
    "wifi_password": "of lamps and lanes",
    "settings": {"safety_floor": 30, "latitude_e6": 10_762_622},
}


def test_the_lamp_takes_what_is_drawn() -> None:
    drawn = identity.draw(MAC, REST)
    lamp = Identity(json.loads(drawn.document()))
    assert lamp.endpoint == "urn:dev:mac:240ac4fffe00beef"
    assert (lamp.sender_id, lamp.master_secret, lamp.master_salt) == (drawn.sender_id, drawn.secret, drawn.salt)
    assert (len(lamp.sender_id), len(lamp.master_secret), len(lamp.master_salt)) == (7, 16, 8)
    assert lamp.recipient_id == limits.SERVER_ID
    assert lamp.settings == REST["settings"]


def test_no_two_lamps_share_a_key() -> None:
    many = [identity.draw(MAC, REST) for _ in range(200)]
    for name in ("sender_id", "secret", "salt"):
        assert len({bytes(getattr(drawn, name)) for drawn in many}) == 200, name


def test_an_identity_that_is_read_back_is_the_same() -> None:
    drawn = identity.draw(MAC, REST)
    again = identity.parse(drawn.document())
    assert again is not None
    assert again.document() == drawn.document()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"endpoint":"a"}', b"[" * 100_000])
def test_what_is_no_identity_is_none(data: bytes) -> None:
    assert identity.parse(data) is None


def test_wiping_overwrites_the_keys_and_nothing_shows_them() -> None:
    drawn = identity.draw(MAC, REST)
    secret, salt = drawn.secret, drawn.salt
    shown = repr(drawn) + str(drawn)
    assert secret.hex() not in shown
    assert "lanes" not in shown
    drawn.wipe()
    assert secret == bytes(16)
    assert salt == bytes(8)
    assert "wifi_password" not in drawn.rest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"server_host": ""}, "server_host"),
        ({"server_port": 0}, "server_port"),
        ({"wifi_password": "short"}, "wifi_password"),
        ({"serial": "S" * 65}, "serial"),
        ({"settings": {"a": "x" * 3000}}, "reads"),
    ],
)
def test_values_that_the_lamp_would_refuse_are_refused_here_without_telling_a_key(
    change: dict[str, object], named: str
) -> None:
    drawn = identity.draw(MAC, {**REST, **change})
    with pytest.raises(Failure) as caught:
        drawn.document()
    assert caught.value.code == "identity_invalid"
    assert named in caught.value.detail
    assert drawn.secret.hex() not in str(caught.value)
