"""The backend over HTTP, against one that keeps its rules: each answer is an outcome or a code, and no key leaks."""

import httpx
import pytest

from provisioning.enrolment import Order
from provisioning.enrolment_http import HttpBackend, check_url
from provisioning.errors import Failure
from tests.provisioning.fake_backend import TOKEN, FakeBackend, problem

ENDPOINT = "urn:dev:mac:246f28fffe000001"
SECRET = bytes(range(16))


def order(secret: bytes = SECRET, endpoint: str = ENDPOINT, replace: bool = False, **facts: object) -> Order:
    facts = {"asset_id": "Q1-0001", "latitude": 10.77, "longitude": 106.7, "time_zone": "Asia/Ho_Chi_Minh", **facts}
    return Order(endpoint, b"\x01\x02", bytearray(secret), bytearray(b"saltsalt"), facts, replace)


def backend(fake: FakeBackend, token: str = TOKEN, pauses: list[float] | None = None) -> HttpBackend:
    taken = pauses if pauses is not None else []
    return HttpBackend("https://lights.example.org/", token, transport=fake.transport(), pause=taken.append)


def code_of(fake: FakeBackend, made: Order | None = None, token: str = TOKEN) -> str:
    with pytest.raises(Failure) as failed:
        backend(fake, token).enrol(made or order())
    assert SECRET.hex() not in repr(failed.value) + str(failed.value.detail)
    assert token not in failed.value.detail
    return failed.value.code


def test_a_new_lamp_is_enrolled_and_the_same_again_is_unchanged() -> None:
    fake = FakeBackend()
    assert (backend(fake).enrol(order()).result, backend(fake).enrol(order()).result) == ("enrolled", "unchanged")
    assert fake.enrolments_made == 1 and backend(fake).enrol(order()).lamp_id == 1


def test_what_is_known_of_a_lamp_can_be_asked_retired_ones_too() -> None:
    fake = FakeBackend()
    assert backend(fake).find(ENDPOINT) is None
    backend(fake).enrol(order())
    known = backend(fake).find(ENDPOINT)
    assert known and (known.lamp_id, known.asset_id, known.state) == (1, "Q1-0001", "online")
    fake.lamps[ENDPOINT]["retired"] = True
    assert backend(fake).find(ENDPOINT).state == "retired"  # type: ignore[union-attr]


def test_other_keys_are_refused_until_somebody_says_replace() -> None:
    fake = FakeBackend()
    backend(fake).enrol(order())
    other = bytes(reversed(SECRET))
    assert code_of(fake, order(other)) == "lamp_known"
    assert backend(fake).enrol(order(other, replace=True)).result == "unchanged" or fake.enrolments_made == 2


def test_a_serial_of_another_lamp_is_refused() -> None:
    fake = FakeBackend()
    backend(fake).enrol(order(serial="S1"))
    assert code_of(fake, order(endpoint="urn:dev:mac:246f28fffe000002", serial="S1")) == "serial_used"


@pytest.mark.parametrize(
    ("token", "code"),
    [("wrong", "token_refused"), ("", "token_refused"), ("technician-of-another-city", "token_scope")],
)
def test_a_token_that_is_not_good_for_this_is_told_apart(token: str, code: str) -> None:
    fake = FakeBackend()
    assert code_of(fake, token=token or "none") == code
    assert not fake.lamps and len(fake.requests) == 1, "not tried again"


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (httpx.ConnectError("refused"), "backend_down"),
        (httpx.ConnectTimeout("slow"), "backend_down"),
        (httpx.RemoteProtocolError("closed"), "backend_down"),
        (httpx.ReadTimeout("slow"), "backend_slow"),
        (503, "backend_failed"),
    ],
)
def test_what_may_pass_is_tried_three_times_and_then_told(trouble: object, code: str) -> None:
    fake = FakeBackend()
    fake.troubles = [trouble] * 3
    assert code_of(fake) == code
    assert len(fake.requests) == 3
    fake.troubles = [trouble] * 2
    pauses: list[float] = []
    assert backend(fake, pauses=pauses).enrol(order()).result == "enrolled"
    assert pauses == [0.5, 2.0]


def test_an_answer_that_was_lost_on_its_way_enrols_no_second_key() -> None:
    fake = FakeBackend()
    fake.troubles = ["late", "late"]
    assert backend(fake).enrol(order()).result == "unchanged"
    assert fake.enrolments_made == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (422, "enrolment_refused"),
        (413, "enrolment_refused"),
        (429, "backend_slow"),
        (404, "backend_failed"),
        (500, "backend_failed"),
        (302, "backend_failed"),
    ],
)
def test_each_status_has_its_code_and_is_not_tried_again(status: int, code: str) -> None:
    fake = FakeBackend()
    fake.troubles = [status]
    assert code_of(fake) == code and len(fake.requests) == 1


def test_a_refused_field_is_named() -> None:
    fake = FakeBackend()
    fake.troubles = [problem(422, "fields", "time_zone", "no such IANA time zone")]
    with pytest.raises(Failure, match="time_zone: no such IANA time zone"):
        backend(fake).enrol(order())


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"\xff"])
def test_what_is_no_backend_of_ours_is_told(content: bytes) -> None:
    fake = FakeBackend()
    fake.troubles = [httpx.Response(200, content=content)]
    assert code_of(fake) == "backend_failed"


def test_registering_this_computer_is_tried_once() -> None:
    fake = FakeBackend()
    fake.troubles = ["late"]
    with pytest.raises(Failure) as failed:
        backend(fake).register_station("van 1", "ab" * 32)
    assert failed.value.code == "backend_slow" and len(fake.requests) == 1
    backend(fake).register_station("van 1", "ab" * 32)
    assert fake.stations == {"ab" * 32} and backend(fake).key() == fake.public


def test_keys_never_travel_over_plain_http_to_another_computer() -> None:
    for url in ("http://lights.example.org", "http://192.168.1.4:8000"):
        with pytest.raises(Failure) as failed:
            check_url(url)
        assert failed.value.code == "backend_open"
    assert check_url("http://127.0.0.1:8000/api/v1") == "http://127.0.0.1:8000"
    for url in ("lights.example.org", "https://anna:pass@lights.example.org", "ftp://x", "https://"):
        with pytest.raises(Failure):
            check_url(url)


def test_keys_are_shown_by_nothing_and_wiped() -> None:
    made = order()
    assert SECRET.hex() not in repr(made) and "saltsalt" not in repr(made)
    made.wipe()
    assert not any(made.secret) and not any(made.salt)
