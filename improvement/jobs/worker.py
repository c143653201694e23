"""RQ workers that run stages and nothing else.

Whoever can write to Redis must not thereby run code: a job is taken only when its id, its function
name and its argument are those of a stage, and of what else Redis says about a job (callbacks,
webhooks, retries, dependencies, results) nothing is read. No pickle, no commands over pub/sub.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import secrets
import signal
import socket
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import django_rq
from django.db import connections
from redis import Redis
from rq import Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import decode_redis_hash

from improvement.jobs import reconciler
from improvement.jobs.doorbell import FUNCTION
from improvement.jobs.working import STOP
from improvement.services.process import die_with_parent

log = logging.getLogger(__name__)
STAGE_JOB = re.compile(r"stage-([0-9]{1,18})-[0-9]{1,10}")
# Of a job's hash in Redis: its times, state and data, and nothing that makes RQ act.
HARMLESS = {
    *("created_at", "data", "description", "ended_at", "enqueued_at", "failure_ttl"),
    *("last_heartbeat", "origin", "result_ttl", "started_at", "status", "timeout", "worker_name"),
}
LARGEST = 2000  # bytes of a job's data
HEAVY = {
    "rollout": ("improvement.serving.local",),
    "train": ("improvement.training.lora",),
}


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


class StageWorker(Worker):
    """Forks one process a stage; that process dies with this one."""

    job_class = StageJob
    exponential_backoff_factor = 1.5
    max_connection_wait_time = 5.0

    def subscribe(self) -> None:
        """No pub/sub: nobody stops a worker through Redis, and no thread is there at a fork."""

    def unsubscribe(self) -> None:
        """See subscribe."""

    @property
    def asked_to_stop(self) -> bool:
        return self._shutdown_requested_date is not None

    def setup_work_horse_signals(self) -> None:
        """Asked to stop, a stage is handed back at its next check."""
        super().setup_work_horse_signals()
        signal.signal(signal.SIGTERM, lambda _number, _frame: STOP.set())

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """A database connection that two processes share is broken for both: have none here."""
        connections.close_all()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(signal.SIGKILL, parent=self.pid)
        super().main_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """A stage at work is asked to hand itself back at its next check."""
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """Asked a second time: kill the stage's process, but let another worker go on at once."""
        try:
            super().request_force_stop(signum, frame)
        except SystemExit:
            reconciler.release(self.name, count_attempt=False)
            raise

    def handle_work_horse_killed(self, job: Job, retpid: Any, ret_val: Any, rusage: Any) -> None:
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        reconciler.release(self.name)


def make_worker(queues: Sequence[str]) -> StageWorker:
    """A worker with a new name, on its own connection."""
    connection: Redis = django_rq.get_connection(queues[0])
    return StageWorker(
        list(queues),
        name=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=60,
        job_monitoring_interval=15,
        log_job_description=True,
    )


def preload(queues: Sequence[str]) -> None:
    """Import what the stages of these queues need, once: each fork has it then. Imports only: a
    tensor operation here would start threads, and a fork copies no threads."""
    for module in (module for queue in queues for module in HEAVY.get(queue, ())):
        try:
            import_module(module)
        except ImportError as error:
            log.warning("%s can't be imported here: %s", module, error)
    gc.collect()
    gc.freeze()  # else the first collection in a fork copies the pages of all these modules
