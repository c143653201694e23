"""The only job that a worker takes.

Whoever can write to Redis must not thereby run code: a job is taken only when its id, its function
name and its argument are those of a stage, and of what else Redis says about a job (callbacks,
webhooks, retries, dependencies, results) nothing is read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.utils import decode_redis_hash

from improvement.jobs.doorbell import FUNCTION

log = logging.getLogger(__name__)
STAGE_JOB = re.compile(r"stage-([0-9]{1,18})-[0-9]{1,10}")
# Of a job's hash in Redis: its times, state and data, and nothing that makes RQ act.
HARMLESS = {
    *("created_at", "data", "description", "ended_at", "enqueued_at", "failure_ttl"),
    *("last_heartbeat", "origin", "result_ttl", "started_at", "status", "timeout", "worker_name"),
}
LARGEST = 2000  # bytes of a job's data


class StageJob(Job):
    """A job that is exactly a stage's. Anything else is as if it were not there."""

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> Job:
        try:
            return super().fetch(id, connection=connection, serializer=serializer)
        except ValueError as error:  # an id that no job can have
            log.warning("Refused the job %.80r from the queue: %s", id, error)
            raise NoSuchJobError(id) from error

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        known = decode_redis_hash(dict(raw_data))
        try:
            if len(known["data"]) > LARGEST:
                raise ValueError("too long")
            super().restore({key: known[key] for key in HARMLESS & set(known)})
            named = STAGE_JOB.fullmatch(self.id)
            wanted: list[Any] | None = [FUNCTION, None, [int(named[1])], {}] if named else None
            found = [self.func_name, self.instance, list(self.args), self.kwargs]
            if found != wanted:
                raise ValueError(f"asks for {str(found)[:200]!r}")
        except Exception as error:
            reason = str(error) or type(error).__name__
            log.warning("Refused the job %.80r from the queue: %s", self.id, reason)
            raise NoSuchJobError(f"{self.id} is not a stage's job") from error
