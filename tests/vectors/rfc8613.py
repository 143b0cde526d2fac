"""RFC 8613 Appendix C: vectors for AES-CCM-16-64-128 and HKDF SHA-256; the examples of section 6.3. All in hex."""

from typing import NamedTuple

SECRET = "0102030405060708090a0b0c0d0e0f10"
SALT = "9e7ca92223786340"


class Derivation(NamedTuple):
    """C.1 to C.3 as the client sees them; the server has the ids, keys and nonces the other way round."""

    name: str
    salt: str
    client_id: str
    server_id: str
    id_context: str | None
    client_key: str
    server_key: str
    common_iv: str
    client_nonce: str
    server_nonce: str


C1 = Derivation(
    name="C.1",
    salt=SALT,
    client_id="",
    server_id="01",
    id_context=None,
    client_key="f0910ed7295e6ad4b54fc793154302ff",
    server_key="ffb14e093c94c9cac9471648b4f98710",
    common_iv="4622d4dd6d944168eefb54987c",
    client_nonce="4622d4dd6d944168eefb54987c",
    server_nonce="4722d4dd6d944169eefb54987c",
)
C2 = Derivation(
    name="C.2",
    salt="",
    client_id="00",
    server_id="01",
    id_context=None,
    client_key="321b26943253c7ffb6003b0b64d74041",
    server_key="e57b5635815177cd679ab4bcec9d7dda",
    common_iv="be35ae297d2dace910c52e99f9",
    client_nonce="bf35ae297d2dace910c52e99f9",
    server_nonce="bf35ae297d2dace810c52e99f9",
)
C3 = Derivation(
    name="C.3",
    salt=SALT,
    client_id="",
    server_id="01",
    id_context="37cbf3210017a2d3",
    client_key="af2a1300a5e95788b356336eeecd2b92",
    server_key="e39a0c7c77b43f03b4b39ab9a268699f",
    common_iv="2ca58fb85ff1b81c0b7181b85e",
    client_nonce="2ca58fb85ff1b81c0b7181b85e",
    server_nonce="2da58fb85ff1b81d0b7181b85e",
)
DERIVATIONS = [C1, C2, C3]


class Request(NamedTuple):
    """C.4 to C.6: a GET protected by the client with sender sequence number 20."""

    name: str
    derivation: Derivation
    plain: str
    associated_data: str
    nonce: str
    option: str
    protected: str


C4 = Request(
    name="C.4",
    derivation=C1,
    plain="44015d1f00003974396c6f63616c686f737483747631",
    associated_data="8368456e63727970743040488501810a40411440",
    nonce="4622d4dd6d944168eefb549868",
    option="0914",
    protected="44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",
)
C5 = Request(
    name="C.5",
    derivation=C2,
    plain="440171c30000b932396c6f63616c686f737483747631",
    associated_data="8368456e63727970743040498501810a4100411440",
    nonce="bf35ae297d2dace910c52e99ed",
    option="091400",
    protected="440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0",
)
C6 = Request(
    name="C.6",
    derivation=C3,
    plain="44012f8eef9bbf7a396c6f63616c686f737483747631",
    associated_data="8368456e63727970743040488501810a40411440",
    nonce="2ca58fb85ff1b81c0b7181b84a",
    option="19140837cbf3210017a2d3",
    protected="44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3",
)
REQUESTS = [C4, C5, C6]

# C.7 and C.8: the server's answer to C.4 without, and with, a partial IV of its own (sender sequence number 0).
RESPONSE_PLAIN = "64455d1f00003974ff48656c6c6f20576f726c6421"
C7_PROTECTED = "64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106"
C8_PROTECTED = "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"

# Section 6.3: `(option value, partial IV, kid, kid context)`; None where there is none.
COMPRESSED = [
    ("090525", "05", "25", None),
    ("0900", "00", "", None),
    ("19050544616c656b", "05", "", "44616c656b"),
    ("", "", None, None),
    ("0107", "07", None, None),
]
