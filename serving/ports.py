"""Whether a TCP port can be had, asked before a service is started on it."""

from __future__ import annotations

import errno
import socket

from features.errors import PortInUseError, UsageError

__all__ = ["check_port", "free_port"]


def free_port(host: str = "127.0.0.1") -> int:
    """Some TCP port that is free now."""
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(host: str, port: int) -> None:
    """Refuse an address and port that cannot be bound.

    Raises
    ------
    UsageError
        If the address is not this machine's, or the port is not for this user.
    PortInUseError
        If the port is taken.
    """
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise UsageError(
                    f"{host} is not an address of this machine", expected="127.0.0.1, 0.0.0.0 or one of its own"
                ) from error
            if error.errno == errno.EACCES:
                raise UsageError(f"port {port} may not be bound by this user", expected="a port from 1024") from error
            raise PortInUseError(
                f"port {port} on {host} cannot be had: {error.strerror}",
                expected="a free port",
                remedy=f"stop what listens there, or choose another with --port, such as --port {free_port()}",
            ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
