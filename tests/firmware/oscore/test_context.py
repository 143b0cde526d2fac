"""Derivation, nonces and sequence numbers. Source: RFC 8613 sections 3.2, 5.2, 5.4, 7.2.1 and Appendix C."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from firmware.oscore.context import NUMBERS, Context, associated_data, derive, encode_piv
from firmware.oscore.errors import SequenceExhausted
from tests.vectors.rfc8613 import DERIVATIONS, REQUESTS, SECRET, Derivation

h = bytes.fromhex


class Storage:
    """Keeps what was reserved last, as flash does; can be made to fail."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.writes = 0
        self.is_broken = False

    def reserve(self, limit: int) -> None:
        if self.is_broken:
            raise OSError("no flash")
        assert limit > self.limit
        self.limit = limit
        self.writes += 1


def context(storage: Storage | None = None, **changes) -> Context:
    storage = storage or Storage()
    arguments = {"sender_id": b"\x00", "recipient_id": b"\x01", "master_secret": h(SECRET), "sequence": storage.limit}
    return Context(reserve=storage.reserve, **{**arguments, **changes})


def seen_by(vector: Derivation, server: bool) -> Context:
    ids = [h(vector.client_id), h(vector.server_id)]
    if server:
        ids.reverse()
    id_context = None if vector.id_context is None else h(vector.id_context)
    return Context(*ids, h(SECRET), Storage().reserve, master_salt=h(vector.salt), id_context=id_context)


def has_key(ccm, key: str) -> bool:
    return ccm.encrypt(bytes(13), b"aad", b"text") == AESCCM(h(key), 8).encrypt(bytes(13), b"text", b"aad")


@pytest.mark.parametrize("vector", DERIVATIONS, ids=[vector.name for vector in DERIVATIONS])
def test_the_contexts_of_appendix_c_are_derived(vector: Derivation) -> None:
    client, server = seen_by(vector, server=False), seen_by(vector, server=True)
    assert has_key(client.sender, vector.client_key) and has_key(server.recipient, vector.client_key)
    assert has_key(client.recipient, vector.server_key) and has_key(server.sender, vector.server_key)
    id_context = None if vector.id_context is None else h(vector.id_context)
    assert derive(h(SECRET), h(vector.salt), h(vector.client_id), id_context, "Key", 16) == h(vector.client_key)
    for side in (client, server):
        assert side.common_iv == h(vector.common_iv)
        assert side.nonce(h(vector.client_id), b"\x00") == h(vector.client_nonce)
        assert side.nonce(h(vector.server_id), b"\x00") == h(vector.server_nonce)


@pytest.mark.parametrize("vector", REQUESTS, ids=[vector.name for vector in REQUESTS])
def test_nonce_and_associated_data_of_appendix_c_come_out(vector) -> None:
    client_id = h(vector.derivation.client_id)
    assert seen_by(vector.derivation, server=False).nonce(client_id, b"\x14") == h(vector.nonce)
    assert associated_data(client_id, b"\x14") == h(vector.associated_data)


def test_the_nonce_has_room_for_the_longest_id_and_number() -> None:
    one = context(sender_id=b"\xff" * 7)
    nonce = one.nonce(b"\xff" * 7, b"\xff" * 5)
    assert nonce == bytes((one.common_iv[0] ^ 7,)) + bytes(byte ^ 0xFF for byte in one.common_iv[1:])


@pytest.mark.parametrize(
    ("number", "piv"),
    [(0, "00"), (20, "14"), (255, "ff"), (256, "0100"), (65536, "010000"), (NUMBERS - 1, "ffffffffff")],
)
def test_a_partial_iv_has_no_leading_zeros(number: int, piv: str) -> None:
    assert encode_piv(number) == h(piv)


def test_numbers_are_reserved_before_they_are_used() -> None:
    storage = Storage()
    one = context(storage, chunk=4)
    assert storage.writes == 0
    for number in range(12):
        assert one.next_piv() == bytes((number,))
        assert storage.limit == number // 4 * 4 + 4
    assert storage.writes == 3


def test_a_restart_continues_at_the_reserved_limit() -> None:
    storage = Storage()
    used = [context(storage, chunk=4).next_piv() for _ in range(5)]
    assert used == [b"\x00", b"\x04", b"\x08", b"\x0c", b"\x10"]


def test_a_number_is_not_used_when_it_cannot_be_reserved() -> None:
    storage = Storage()
    one = context(storage, chunk=2)
    assert [one.next_piv(), one.next_piv()] == [b"\x00", b"\x01"]
    storage.is_broken = True
    for _ in range(2):
        with pytest.raises(OSError, match="no flash"):
            one.next_piv()
    storage.is_broken = False
    assert one.next_piv() == b"\x02"


def test_the_last_number_is_used_and_then_none() -> None:
    storage = Storage(NUMBERS - 3)
    one = context(storage, chunk=2)
    assert [one.next_piv().hex() for _ in range(3)] == ["fffffffffd", "fffffffffe", "ffffffffff"]
    assert storage.limit == NUMBERS
    for again in (one, context(storage)):
        with pytest.raises(SequenceExhausted, match="new master secret"):
            again.next_piv()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sender_id": bytes(8)}, "at most 7 bytes"),
        ({"recipient_id": bytes(8)}, "at most 7 bytes"),
        ({"recipient_id": b"\x00"}, "are the same"),
        ({"master_secret": b""}, "master secret is empty"),
    ],
)
def test_parameters_that_make_no_context_are_refused(changes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        context(**changes)
