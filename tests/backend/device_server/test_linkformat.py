import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.device_server import linkformat
from backend.device_server.linkformat import Link, LinkFormatError


def test_a_registration_body_is_read_in_order():
    links = linkformat.parse('</>;rt="oma.lwm2m";ct="110 112",</3416/0>;ver="2.0",</3/0>')
    assert links == [
        Link("/", {"rt": "oma.lwm2m", "ct": "110 112"}),
        Link("/3416/0", {"ver": "2.0"}),
        Link("/3/0", {}),
    ]


@pytest.mark.parametrize("text", ["", "  ", "\r\n"])
def test_an_empty_text_has_no_links(text):
    assert linkformat.parse(text) == []


def test_attributes_may_be_tokens_flags_and_quoted_with_escapes():
    (link,) = linkformat.parse(r'</3/0>;pmin=10;obs; title="a \"b\" \\ c, d; e" ; x=1')
    assert link.attributes == {"pmin": "10", "obs": None, "title": 'a "b" \\ c, d; e', "x": "1"}


def test_the_first_of_two_equal_attributes_counts():
    assert linkformat.parse("</>;ct=1;ct=2")[0].attributes == {"ct": "1"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3416/0", "begin with <"),
        ("</3416/0", "has no >"),
        ("</1>,", "missing after the last comma"),
        ("</1> </2>", "expected , or ;"),
        ("</1>;", "attribute name is missing"),
        ("</1>;=1", "attribute name is missing"),
        ("</1>;ct=", "value of ct is missing"),
        ('</1>;ct="1', "no closing"),
        ('</1>;ct="1\\', "no closing"),
    ],
)
def test_a_broken_text_is_refused_with_the_reason(text, reason):
    with pytest.raises(LinkFormatError, match=reason):
        linkformat.parse(text)


def test_too_many_links_are_refused():
    with pytest.raises(LinkFormatError, match="more than"):
        linkformat.parse(",".join(["</1>"] * 1001))


@given(st.text(alphabet='</>;,="\\ a1\n', max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        links = linkformat.parse(text)
    except LinkFormatError as error:
        assert str(error)
    else:
        assert all(isinstance(link.target, str) for link in links)
