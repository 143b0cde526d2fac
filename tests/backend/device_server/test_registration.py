import pytest

from backend.device_server.errors import BAD_REQUEST, PRECONDITION_FAILED, UNSUPPORTED_FORMAT, Refusal
from backend.device_server.registration import parse_register, parse_update

BODY = b'</>;rt="oma.lwm2m";ct="110 112",</3416/0>;ver="2.0"'


def refused(code, reason, call, *arguments):
    with pytest.raises(Refusal, match=reason) as caught:
        call(*arguments)
    assert caught.value.code == code


def test_a_registration_is_understood():
    register = parse_register(["ep=urn:dev:mac:1", "lt=300", "lwm2m=1.1", "b=U", "unknown=7"], 40, BODY)
    assert (register.endpoint, register.lifetime_s, register.version, register.binding) == (
        "urn:dev:mac:1",
        300,
        "1.1",
        "U",
    )
    assert (register.root, register.formats) == ((), (110, 112))


def test_what_is_missing_has_the_defaults_of_lwm2m_1_0():
    register = parse_register(["ep=x"], None, b"")
    assert (register.lifetime_s, register.version, register.binding, register.formats) == (86400, "1.0", "U", ())


def test_an_alternate_path_is_kept():
    assert parse_register(["ep=x"], 40, b'</lwm2m/a>;rt="oma.lwm2m",</lwm2m/a/3/0>').root == ("lwm2m", "a")


@pytest.mark.parametrize("version", ["1.2", "2.0", "", "1"])
def test_another_version_is_refused_so_that_the_lamp_falls_back(version):
    refused(PRECONDITION_FAILED, "lwm2m", parse_register, ["ep=x", f"lwm2m={version}"], 40, BODY)


@pytest.mark.parametrize(
    ("queries", "reason"),
    [
        (["lt=300"], "ep: the endpoint name is missing"),
        (["ep="], "ep: the endpoint name is missing"),
        (["ep=" + "x" * 191], "ep: at most"),
        (["ep=a\nb"], "ep: at most"),
        (["ep=x", "ep=y"], "ep: given twice"),
        (["ep=x", "lt=0"], "lt: whole seconds"),
        (["ep=x", "lt=-5"], "lt: whole seconds"),
        (["ep=x", "lt=2147483648"], "lt: whole seconds"),
        (["ep=x", "lt=3e2"], "lt: whole seconds"),
        (["ep=x", "lt=٣"], "lt: whole seconds"),
        (["ep=x", "lt"], "lt: whole seconds"),
        (["ep=x", "b=X"], "b: letters"),
    ],
)
def test_a_broken_query_is_refused_by_its_name(queries, reason):
    refused(BAD_REQUEST, reason, parse_register, queries, 40, BODY)


def test_a_body_that_is_no_link_format_is_refused():
    refused(UNSUPPORTED_FORMAT, "content format 60", parse_register, ["ep=x"], 60, BODY)
    refused(BAD_REQUEST, "byte 0 is not UTF-8", parse_register, ["ep=x"], 40, b"\xff")
    refused(BAD_REQUEST, "link format: .*no >", parse_register, ["ep=x"], 40, b"</3416")
    refused(BAD_REQUEST, "ct: content formats", parse_register, ["ep=x"], 40, b'</>;rt="oma.lwm2m";ct="a"')


def test_an_update_says_what_changes_and_nothing_else():
    assert parse_update([], None, b"").lifetime_s is None
    update = parse_update(["lt=60", "b=UQ"], 40, BODY)
    assert (update.lifetime_s, update.binding, update.objects) == (60, "UQ", BODY.decode())
    refused(BAD_REQUEST, "cannot change", parse_update, ["ep=y"], None, b"")
    refused(BAD_REQUEST, "cannot change", parse_update, ["lwm2m=1.1"], None, b"")
