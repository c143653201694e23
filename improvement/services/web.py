"""The web server's address and command."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import sys

from improvement.services.account import ServiceError

PROCESSES, THREADS = 2, 8


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that children inherit: a restarted web server refuses nobody."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise ServiceError(_why_not(host, port, error)) from None
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use. Stop the program that uses it, or choose another "
            f"port: PAWL_PORT={port + 1}."
        )
    return (
        f"Can't listen on port {port} of {host}: {error.strerror}. Set PAWL_PORT to a port "
        "above 1023 and PAWL_BIND to an address of this machine."
    )


def command(address: str) -> list[str]:
    """gunicorn on `address` ("host:port" or "fd://NUMBER"): threads, no access log."""
    quick = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
    return [
        sys.executable, "-m", "gunicorn", "improvement.wsgi", f"--bind={address}",
        "--worker-class=gthread", f"--workers={PROCESSES}", f"--threads={THREADS}",
        "--graceful-timeout=5", "--timeout=60", "--log-level=warning", "--no-control-socket",
        *([f"--worker-tmp-dir={quick}"] if quick else []),
    ]  # fmt: skip


def answers(host: str, port: int, path: str = "/healthz", seconds: float = 0.3) -> bool:
    """Whether the web server gives 200 for `path`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
