"""What this computer remembers of its backend: address and public key (`backend.json`), token (`token`, 0600)."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from provisioning import state
from provisioning.errors import Failure, of_file
from provisioning.sealing import check_key

FILE = "backend.json"
TOKEN_FILE = "token"
TOKEN_VARIABLE = "STREETLIGHT_TOKEN"


@dataclass(frozen=True)
class Account:
    """`url` without a path; `key` is the backend's X25519 public key, hexadecimal; the token is shown by nothing."""

    url: str
    key: str
    token: str = field(default="", repr=False)


def save(folder: Path, account: Account) -> None:
    document = json.dumps({"url": account.url, "key": account.key}).encode()
    state.write(folder / TOKEN_FILE, account.token.encode(), private=True)
    state.write(folder / FILE, document, private=True)


def load(folder: Path) -> Account:
    """The account of the last login; Failure `not_logged_in`. A token in the environment wins over the kept one."""
    path = folder / FILE
    try:
        fields = json.loads(path.read_bytes())
        return Account(str(fields["url"]), check_key(fields["key"]), token(folder))
    except FileNotFoundError:
        raise Failure("not_logged_in", str(folder)) from None
    except OSError as error:
        raise of_file(error, path) from None
    except (ValueError, KeyError, TypeError):
        raise Failure("not_logged_in", f"{path} cannot be read") from None


def token(folder: Path) -> str:
    """The token of the environment, else the kept one, else ""."""
    if given := os.environ.get(TOKEN_VARIABLE, "").strip():
        return given
    try:
        return (folder / TOKEN_FILE).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    except OSError as error:
        raise of_file(error, folder / TOKEN_FILE) from None
