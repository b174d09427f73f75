"""Asks whether the port is free before several workers share it.

With SO_REUSEPORT a second EventGate of the same account would join in silence and take every other request.
Touches one socket for a moment.
"""

import errno
import socket

from eventgate.errors import ConfigurationError, FieldError


def demand_free(host: str, port: int) -> None:
    """Raise ConfigurationError where ``host`` and ``port`` cannot be listened on, saying why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a former run may linger
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            reasons = {
                errno.EADDRINUSE: f"port {port} on {host} is taken by another program; choose another",
                errno.EACCES: f"port {port} needs rights that this account does not have; choose one above 1023",
                errno.EADDRNOTAVAIL: f"{host} is not an address of this machine",
            }
            detail = reasons.get(error.errno or 0, f"cannot listen on {host} port {port}: {error.strerror}")
            raise ConfigurationError("network", [FieldError("http.port", "unusable", detail)]) from error
