"""An identity is taken whole and sound, or refused with advice and without a key in the text."""

import pytest

from firmware.errors import IdentityError
from firmware.identity import Identity

SECRET = "000102030405060708090a0b0c0d0e0f"

GOOD = {
    "endpoint": "urn:dev:mac:0024befffe804ff1",
    "serial": "SL-000001",
    "server_host": "lights.example.org",
    "server_port": 5683,
    "sender_id": "00c0ffee",
    "recipient_id": "01",
    "master_secret": SECRET,
    "master_salt": "9e7ca92223786340",
    "wifi_ssid": "Street 7",
    "wifi_password": "not for logs",
    "settings": {"nominal_power_w": 40},
}


def test_a_good_identity_is_taken() -> None:
    identity = Identity(GOOD)
    assert identity.endpoint == "urn:dev:mac:0024befffe804ff1"
    assert (identity.sender_id, identity.recipient_id) == (b"\x00\xc0\xff\xee", b"\x01")
    assert identity.master_secret == bytes(range(16))
    assert identity.settings == {"nominal_power_w": 40}
    assert (identity.server_port, identity.wifi_ssid, identity.serial) == (5683, "Street 7", "SL-000001")


def test_only_the_necessary_fields_are_necessary() -> None:
    names = ("endpoint", "server_host", "sender_id", "recipient_id", "master_secret")
    identity = Identity({name: GOOD[name] for name in names})
    assert (identity.server_port, identity.settings, identity.master_salt, identity.wifi_ssid) == (5683, {}, b"", "")
    for name in names:
        with pytest.raises(IdentityError, match=name):
            Identity({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", ""),
        ("endpoint", 5),
        ("endpoint", "x" * 65),
        ("endpoint", "urn dev"),
        ("server_host", "host\n"),
        ("server_port", 0),
        ("server_port", 65536),
        ("server_port", "5683"),
        ("server_port", True),
        ("sender_id", ""),
        ("sender_id", "0011223344556677"),
        ("sender_id", "xy"),
        ("sender_id", "123"),
        ("sender_id", b"\x01"),
        ("recipient_id", "00c0ffee"),
        ("master_secret", SECRET[:-2]),
        ("master_secret", "ff" * 16),
        ("master_secret", "é" * 32),
        ("master_salt", "00" * 65),
        ("wifi_password", "short"),
        ("wifi_ssid", "s" * 33),
        ("settings", [1]),
    ],
)
def test_a_bad_field_is_refused_and_no_key_is_in_the_text(field: str, value: object) -> None:
    with pytest.raises(IdentityError) as caught:
        Identity({**GOOD, field: value})
    assert "provision the lamp again" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert not isinstance(value, str) or len(value) < 20 or value not in str(caught.value)


def test_what_is_no_dictionary_is_refused() -> None:
    with pytest.raises(IdentityError):
        Identity(["endpoint"])


def test_an_identity_never_shows_its_keys() -> None:
    text = repr(Identity(GOOD)) + str(Identity(GOOD))
    for secret in (SECRET, "0f", "c0ffee", "9e7ca9", "not for logs"):
        assert secret not in text
