"""The plan of a street: poles, feeders, identities."""

import pytest

from contract import limits
from hil.street.plan import STREETS, plan


@pytest.mark.parametrize("lamps", [1, 2, 3, 8, 20, 500])
def test_every_pole_has_an_identity_of_its_own(lamps: int) -> None:
    poles = plan(lamps)
    assert len(poles) == lamps
    for values in (
        {pole.endpoint for pole in poles},
        {pole.mac for pole in poles},
        {pole.master_secret for pole in poles},
        {pole.master_salt for pole in poles},
        {(pole.latitude, pole.longitude) for pole in poles},
        {pole.name for pole in poles},
    ):
        assert len(values) == lamps
    assert all(len(pole.mac) <= limits.SENDER_ID_BYTES and pole.mac != limits.SERVER_ID for pole in poles)
    assert all(len(pole.master_secret) == limits.MASTER_SECRET_BYTES for pole in poles)


def test_poles_stand_on_their_street_and_every_street_has_some() -> None:
    poles = plan(20)
    assert {pole.street for pole in poles} == {street.name for street in STREETS}
    for street in STREETS:
        (south, west), (north, east) = street.line
        for pole in poles:
            if pole.street == street.name:
                assert min(south, north) <= pole.latitude <= max(south, north)
                assert min(west, east) <= pole.longitude <= max(west, east)
                assert pole.feeder == street.feeder


def test_the_endpoint_is_the_eui64_of_the_mac() -> None:
    assert plan(1)[0].endpoint == "urn:dev:mac:025c00fffe000001"


def test_keys_are_never_shown_and_drawn_anew_each_time() -> None:
    pole, other = plan(1)[0], plan(1)[0]
    assert pole.master_secret != other.master_secret
    assert repr(pole.master_secret) not in repr(pole)
    assert pole.master_secret.hex() not in repr(pole)


@pytest.mark.parametrize("lamps", [0, -1, 60_001])
def test_a_street_without_lamps_or_with_too_many_is_refused(lamps: int) -> None:
    with pytest.raises(ValueError, match="--lamps"):
        plan(lamps)
