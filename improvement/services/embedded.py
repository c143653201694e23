"""Both embedded services together."""

from __future__ import annotations

from pathlib import Path

from improvement.services import addresses, postgres, valkey


def start(home: Path, *, durable: bool = True) -> list[str]:
    """Have PostgreSQL and Valkey answer for `home`; the names of those started just now.

    A service whose address is given (DATABASE_URL, REDIS_URL) is left alone. What is started
    here stops with this process at the latest. Safe to call again.
    """
    started = []
    if addresses.database_is_embedded() and postgres.start(home, durable=durable):
        started.append("postgres")
    if addresses.redis_is_embedded() and valkey.start(home):
        started.append("valkey")
    return started


def stop(home: Path) -> None:
    """Stop the services of `home` that run embedded."""
    if addresses.redis_is_embedded():
        valkey.stop(home)
    if addresses.database_is_embedded():
        postgres.stop(home)
