"""Which workers live, and which queues nobody serves."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import psutil
import redis
from rq import Worker
from rq.worker import BaseWorker

from improvement.health import queue_client

SILENT = timedelta(seconds=75)  # an idle worker beats every 45 s, a busy one every 15 s


def served() -> dict[str, int] | None:
    """Queue → how many live workers serve it; None when Redis does not answer."""
    try:
        workers = Worker.all(connection=queue_client())
        alive = [worker for worker in workers if _lives(worker)]
    except (redis.RedisError, OSError):
        return None
    counts: dict[str, int] = {}
    for worker in alive:
        for name in worker.queue_names():
            counts[name] = counts.get(name, 0) + 1
    return counts


def unattended(queues: Iterable[str]) -> str:
    """A sentence with its remedy when no live worker serves one of these queues, else nothing."""
    counts = served()
    if counts is None:
        return "The queue does not answer. Start Pawl: python manage.py up"
    missing = sorted(set(queues) - set(counts))
    if not missing:
        return ""
    names = ", ".join(missing)
    return (
        f"No worker serves the queue{'s' if len(missing) > 1 else ''} {names}. Start everything: "
        f"python manage.py up, or only a worker: python manage.py work --queues {','.join(missing)}"
    )


def _lives(worker: BaseWorker) -> bool:
    beat = worker.last_heartbeat
    if beat is None or datetime.now(UTC) - beat.replace(tzinfo=UTC) > SILENT:
        return False
    here = worker.hostname == socket.gethostname() and worker.pid is not None
    return psutil.pid_exists(worker.pid) if here else True
