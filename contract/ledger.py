"""The ledger: enrolments that travel as a file, sealed for the backend and signed by the computer that made them.

JSON lines in UTF-8, each ended by a newline. The first is the header `{FORMAT_FIELD, STATION, BACKEND}`, each further
one an entry `{SEALED, MADE_AT, PREVIOUS, SIGNATURE}`. CPython only: a lamp never sees one.

Sealed is the JSON of one enrolment (the body of POST /api/v1/enrolments) in a sealed box of libsodium
(crypto_box_seal: X25519, XSalsa20-Poly1305), so that not even the computer that wrote it can open it again. Signatures
are Ed25519 (RFC 8032). Each entry holds the SHA-256 of the line before it, so that none can be left out or moved.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/x-ndjson"

FORMAT_FIELD = "format"
FORMAT = "streetlight-ledger-1"
STATION = "station"  # Ed25519 public key of the computer, hexadecimal.
BACKEND = "backend"  # X25519 public key that the entries are sealed for, hexadecimal.
HEADER = (FORMAT_FIELD, STATION, BACKEND)

SEALED = "sealed"  # The sealed box, base64 with padding (RFC 4648 section 4).
MADE_AT = "made_at"  # When the entry was made, ISO 8601 with an offset or Z.
PREVIOUS = "previous"  # SHA-256 of the line before, without its newline, hexadecimal.
SIGNATURE = "signature"  # Over `canonical` of the other three, hexadecimal.
ENTRY = (SEALED, MADE_AT, PREVIOUS, SIGNATURE)

KEY_BYTES = 32  # Ed25519 and X25519 public keys.
SIGNATURE_BYTES = 64
LINE_BYTES = 16_384  # An enrolment is under 1.5 KB, and notes may have 4,000 characters of up to four bytes, sealed.
LEDGER_BYTES = 4 * 1024 * 1024  # The backend's largest body: some 2,000 enrolments, a week of a busy bench.

# What became of an entry, in the backend's answer.
ENROLLED = "enrolled"  # Its keys are in force now.
UNCHANGED = "unchanged"  # They were already: the ledger was uploaded before.
REFUSED = "refused"  # `code` and `detail` say why; the other entries stand.


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The one way to write these fields: JSON with sorted names, no spaces, UTF-8."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(entry: Mapping[str, Any]) -> bytes:
    """What the signature of an entry is made over."""
    return canonical({name: value for name, value in entry.items() if name != SIGNATURE})


def digest(line: bytes) -> str:
    """What the next line holds as PREVIOUS; `line` without its newline."""
    return hashlib.sha256(line).hexdigest()
