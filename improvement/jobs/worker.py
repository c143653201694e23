"""RQ workers that run stages and nothing else: see stage_job for what they refuse. No pickle, no
commands over pub/sub."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
import socket
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import django_rq
from django.db import connections
from redis import Redis
from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from improvement.jobs import reconciler
from improvement.jobs.stage_job import StageJob
from improvement.jobs.working import STOP
from improvement.services.process import die_with_parent

log = logging.getLogger(__name__)
HEAVY = {
    "rollout": ("improvement.serving.local",),
    "train": ("improvement.training.lora",),
}


class StageWorker(Worker):
    """Forks one process a stage; that process dies with this one."""

    job_class = StageJob
    exponential_backoff_factor = 1.5
    max_connection_wait_time = 5.0
    log_result_lifespan = False

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
