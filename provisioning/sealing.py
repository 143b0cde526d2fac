"""This computer's signing key, and sealing that only the backend can open. The only module that imports nacl.

Ed25519 (RFC 8032) signs the ledger; a sealed box (X25519, XSalsa20-Poly1305, with a key pair drawn for each box) hides
an enrolment even from the computer that made it. Keys are 32 bytes, in hexadecimal outside.
"""

import os
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey, VerifyKey

from provisioning import state
from provisioning.errors import Failure, of_file

FILE = "station.key"


class Station:
    """Who signs: one key a computer."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.public = key.verify_key.encode().hex()

    def sign(self, data: bytes) -> str:
        """The signature over `data`, hexadecimal."""
        return self._key.sign(data).signature.hex()

    def __repr__(self) -> str:
        return f"Station({self.public})"


def open_station(folder: Path) -> Station:
    """The key in `folder`, drawn at the first time; Failure when the file is damaged or others may read it."""
    path = folder / FILE
    with state.locked(folder / f"{FILE}.lock"):
        if not path.exists():
            state.write(path, SigningKey.generate().encode().hex().encode(), private=True)
        try:
            mode = path.stat().st_mode & 0o077
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise of_file(error if isinstance(error, OSError) else OSError("is not a key"), path) from None
    if mode and os.name == "posix":
        raise Failure("folder_denied", f"{path} may be read by others; chmod 600, or remove it and log in again")
    try:
        return Station(SigningKey(bytes.fromhex(text)))
    except (ValueError, CryptoError, TypeError):
        raise Failure("folder_denied", f"{path} is not a key; remove it and log in again") from None


def check_key(text: str) -> str:
    """A public key in hexadecimal, in small letters; ValueError when it is none."""
    if not isinstance(text, str) or len(text) != 64:
        raise ValueError("a public key is 64 hexadecimal digits")
    return bytes.fromhex(text).hex()


def seal(data: bytes, backend: str) -> bytes:
    """`data` so that only the holder of the backend's key reads it."""
    return bytes(SealedBox(PublicKey(bytes.fromhex(backend))).encrypt(data))


def is_signed(data: bytes, signature: str, station: str) -> bool:
    """Whether `station` signed `data`."""
    try:
        VerifyKey(bytes.fromhex(station)).verify(data, bytes.fromhex(signature))
    except (CryptoError, ValueError, TypeError):
        return False
    return True
