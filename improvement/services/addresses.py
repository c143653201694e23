"""Where this installation's PostgreSQL and Valkey are (standard library only; read by settings)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote


def home() -> Path:
    """PAWL_HOME: everything that this installation keeps on disk (default `./.pawl`)."""
    return Path(os.environ.get("PAWL_HOME", ".pawl")).expanduser().resolve()


def socket_dir(of: Path | None = None) -> Path:
    """A short folder for Unix sockets (their paths may have 107 bytes), one per PAWL_HOME."""
    place = of or home()
    inside = place / "run"
    if len(str(inside)) < 80:
        return inside
    short = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    return Path("/tmp") / f"pawl-{os.getuid()}-{short}"  # noqa: S108  made with mode 0700


def database_url() -> str:
    """DATABASE_URL, or the embedded PostgreSQL's socket with the application role."""
    given = os.environ.get("DATABASE_URL")
    return given or f"postgres://pawl@/pawl?host={quote(str(socket_dir()), safe='')}"


def redis_url() -> str:
    """REDIS_URL, or the embedded Valkey's socket."""
    return os.environ.get("REDIS_URL") or f"unix://{socket_dir()}/valkey.sock"


def database_is_embedded() -> bool:
    return not os.environ.get("DATABASE_URL")


def redis_is_embedded() -> bool:
    return not os.environ.get("REDIS_URL")
