"""One way to write a line, whatever the order and the language of its fields."""

from contract import ledger


def test_fields_have_one_writing() -> None:
    assert ledger.canonical({"b": 1, "a": {"d": "Lê Lợi", "c": None}}) == '{"a":{"c":null,"d":"Lê Lợi"},"b":1}'.encode()


def test_a_signature_is_over_all_other_fields() -> None:
    entry = {"sealed": "AA==", "signature": "00", "made_at": "2026-11-23T00:00:00Z", "previous": "11"}
    assert ledger.signed(entry) == b'{"made_at":"2026-11-23T00:00:00Z","previous":"11","sealed":"AA=="}'


def test_a_line_is_named_by_its_digest() -> None:
    assert ledger.digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
