from pathlib import Path

import pytest

from firmware.errors import IdentityError
from firmware.hal import identity_file


def test_what_provisioning_wrote_comes_back(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text('{"endpoint": "urn:dev:mac:240ac4fffe00beef"}')
    assert identity_file.load(str(tmp_path)) == {"endpoint": "urn:dev:mac:240ac4fffe00beef"}


def test_a_lamp_without_identity_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="provision the lamp"):
        identity_file.load(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"[]", b'"secret', b'{"master_secret": "c0ffee"', b"\xff\xfe{}", b"null"])
def test_a_damaged_identity_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "identity.json").write_bytes(content)
    with pytest.raises(IdentityError) as refused:
        identity_file.load(str(tmp_path))
    assert "c0ffee" not in str(refused.value)
    assert refused.value.advice == "provision the lamp again"
    assert refused.value.__cause__ is None
