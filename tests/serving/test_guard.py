"""Keys and binds."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import UsageError
from serving.guard import Keys, check_bind, load_keys


def test_keys_come_from_the_file_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# a comment\n\n  key-from-the-file-1  \nkey-from-the-file-2\n")
    keys = load_keys(str(file), {"EBBTIDE_API_KEYS": "key-from-the-environment, another-from-there"})
    given = ["key-from-the-file-1", "key-from-the-file-2", "key-from-the-environment", "another-from-there"]
    assert all(keys.admits(f"bearer {key}".encode()) for key in given)
    assert not keys.admits(b"Bearer # a comment")
    assert not keys.admits(b"Bearer")
    assert not keys.admits(b"key-from-the-file-1")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "too-short\n", None])
def test_a_key_file_that_protects_nothing_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "keys"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match="key") as error:
        load_keys(str(file), {})
    assert "too-short" not in str(error.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7"])  # noqa: S104 - refused, not bound
def test_beyond_this_machine_a_key_is_needed(host: str) -> None:
    with pytest.raises(UsageError, match="keys_file"):
        check_bind(host, Keys(()))
    check_bind(host, Keys(("a-key-that-is-long",)))


def test_loopback_needs_none_and_a_name_is_no_address() -> None:
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        check_bind(host, Keys(()))
    with pytest.raises(UsageError, match="not an address"):
        check_bind("my-shop.example", Keys(("a-key-that-is-long",)))
