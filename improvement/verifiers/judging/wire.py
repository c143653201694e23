"""One HTTP exchange with an address that was checked, inside a deadline that holds.

httpcore is used without its pool's conveniences: it follows no redirect, reads no proxy from the
environment and unpacks nothing. The deadline covers all of it (connecting, TLS, every header and
every byte), so a server that drips is left as one that is silent. Host and TLS keep the name.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore

from improvement.verifiers.judging.address import Target
from improvement.verifiers.judging.troubles import Trouble

LARGEST = 1 << 20
CONNECT_SECONDS = 10.0

# its debug lines hold whatever headers a server sends back, an echoed key among them
logging.getLogger("httpcore").setLevel(logging.INFO)


class Broken(Exception):
    """The connection failed or broke: worth another try. The message may be shown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, at most LARGEST bytes."""

    status: int
    retry_after: str
    body: bytes


def exchange(
    target: Target,
    addresses: Sequence[str],
    headers: Sequence[tuple[bytes, bytes]],
    content: bytes,
    seconds: float,
) -> Reply:
    """POST `content`. Broken where another try may help, else Trouble."""
    end = time.monotonic() + seconds
    context = _trust() if target.scheme == "https" else None
    pool = httpcore.ConnectionPool(
        ssl_context=context, network_backend=_Backend(tuple(addresses), end)
    )
    url = httpcore.URL(
        scheme=target.scheme.encode(),
        host=target.host.encode(),
        port=target.port,
        target=target.path.encode(),
    )
    try:
        with pool, pool.stream("POST", url, headers=list(headers), content=content) as response:
            return _read(response)
    except httpcore.ReadTimeout:
        raise Trouble(f"no whole answer came within {seconds:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise Trouble(f"its certificate is not valid: {error.verify_message}") from None
    except (httpcore.TimeoutException, httpcore.NetworkError, OSError):
        raise Broken("the connection failed") from None
    except httpcore.ProtocolError:  # its text may repeat what the server sent
        raise Broken("the connection broke, or it did not speak HTTP") from None


@cache
def _trust() -> ssl.SSLContext:
    """The authorities that this machine trusts; SSL_CERT_FILE may name a company's own."""
    return ssl.create_default_context()


def _read(response: httpcore.Response) -> Reply:
    headers = {name.lower(): value for name, value in response.headers}
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Trouble("its answer is compressed, which was not asked for")
    body = bytearray()
    for piece in response.iter_stream():
        body += piece
        if len(body) > LARGEST:
            raise Trouble(f"its answer has more than {LARGEST:,} bytes")
    retry_after = headers.get(b"retry-after", b"").decode("ascii", "replace")
    return Reply(response.status, retry_after, bytes(body))


class _Backend(httpcore.NetworkBackend):
    """Connects to the checked addresses, in their order, whatever name it is given."""

    def __init__(self, addresses: tuple[str, ...], end: float) -> None:
        self.addresses, self.end = addresses, end

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002  resolved and checked before
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the deadline rules
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        for address in self.addresses:
            left = min(CONNECT_SECONDS, self.end - time.monotonic())
            if left <= 0:
                break
            try:
                return _Stream(socket.create_connection((address, port), left), self.end)
            except OSError:
                continue
        raise httpcore.ConnectError("no address answered")


class _Stream(httpcore.NetworkStream):
    """A socket whose every wait ends at the deadline."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self.sock, self.end = sock, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        try:
            self._hurry()
            return self.sock.recv(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError:
            raise httpcore.ReadError from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        try:
            while buffer:
                self._hurry()
                buffer = buffer[self.sock.send(buffer) :]
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError:
            raise httpcore.WriteError from None

    def close(self) -> None:
        self.sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            self._hurry()
            return _Stream(
                ssl_context.wrap_socket(self.sock, server_hostname=server_hostname), self.end
            )
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self.sock if info == "socket" else None

    def _hurry(self) -> None:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
