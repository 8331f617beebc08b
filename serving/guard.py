"""Who may call: API keys, and the refusal to bind beyond this machine without one."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from features.errors import UsageError

__all__ = ["KEYS_ENVIRONMENT", "Keys", "check_bind", "is_loopback", "load_keys"]

KEYS_ENVIRONMENT: Final = "EBBTIDE_API_KEYS"
MIN_KEY_LENGTH: Final = 16


class Keys:
    """The accepted API keys, kept only as digests.

    Parameters
    ----------
    keys : tuple of str
        Accepted keys; none means that every call is let in.

    Examples
    --------
    >>> keys = Keys(("correct-horse-battery",))
    >>> keys.admits(b"Bearer correct-horse-battery"), keys.admits(b"Bearer guess"), keys.admits(None)
    (True, False, False)
    >>> Keys(()).admits(None)
    True
    """

    __slots__ = ("_digests",)

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._digests = tuple(hashlib.sha256(key.encode()).digest() for key in keys)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def admits(self, authorization: bytes | None) -> bool:
        """Whether an ``Authorization`` header carries an accepted key.

        Every key is compared, each in constant time, so that the time taken tells nothing about any of them.
        """
        if not self._digests:
            return True
        scheme, _, token = (authorization or b"").partition(b" ")
        given = hashlib.sha256(token.strip()).digest()
        hits = [hmac.compare_digest(given, digest) for digest in self._digests]
        return any(hits) and scheme.lower() == b"bearer"


def load_keys(keys_file: str | None, environment: Mapping[str, str] = os.environ) -> Keys:
    """Read keys from a file (one a line, ``#`` comments) and from ``EBBTIDE_API_KEYS`` (commas or spaces between).

    Raises
    ------
    UsageError
        If the file cannot be read or holds no key, or if a key is shorter than 16 characters.
    """
    found = [key for key in re.split(r"[,\s]+", environment.get(KEYS_ENVIRONMENT, "")) if key]
    if keys_file is not None:
        try:
            lines = Path(keys_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"the key file {keys_file} cannot be read: {error}", expected="a text file with one API key a line"
            ) from error
        from_file = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        if not from_file:
            raise UsageError(f"the key file {keys_file} holds no key", expected="one API key a line")
        found += from_file
    short = sum(len(key) < MIN_KEY_LENGTH for key in found)
    if short:
        raise UsageError(
            f"{short} of {len(found)} API keys: shorter than {MIN_KEY_LENGTH} characters",
            expected=f"at least {MIN_KEY_LENGTH}",
            remedy='make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`',
        )
    return Keys(tuple(found))


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_bind(host: str, keys: Keys) -> None:
    """Refuse to listen beyond this machine without a key.

    Raises
    ------
    UsageError
        If ``host`` is not an address, or is not loopback and there are no keys.
    """
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError as error:
            raise UsageError(
                f"{host!r} is not an address to bind", expected="an IP address, such as 127.0.0.1"
            ) from error
    if not keys and not is_loopback(host):
        raise UsageError(
            f"serving on {host} would let anyone on the network read and write customer data without a key",
            expected="an API key",
            remedy=f"set [serving] keys_file in the configuration (or {KEYS_ENVIRONMENT}), or bind 127.0.0.1",
        )
