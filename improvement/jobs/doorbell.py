"""The outbox: rings RQ for stages that the database says are ready.

A doorbell row is written in the transaction that makes a stage ready and rung after its commit.
A ring may be lost or doubled: the reconciler rings again, and a claim lets one worker in.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import lru_cache

import redis
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from rq import Queue
from rq.serializers import JSONSerializer

from improvement.health import queue_client
from improvement.models import Doorbell, Stage, StageStates

log = logging.getLogger(__name__)
FUNCTION = "improvement.jobs.work.run_stage"
FAILURE_TTL = 24 * 3600  # seconds that Redis keeps a failed job; the stage's row has the error
PATIENCE = timedelta(seconds=5)  # between a ring and the look whether its job is really there
DUE = Q(lease_until=None) | Q(lease_until__lte=Now())  # of a ready stage: not before


def job_id(stage: Stage) -> str:
    """The same for every ring until somebody claims the stage."""
    return f"stage-{stage.pk}-{stage.fence}"


def add(stage: Stage) -> None:
    """Write the doorbell of a stage that this transaction makes ready; ring after the commit."""
    Doorbell.objects.create(stage=stage)
    transaction.on_commit(ring, robust=True)


def ring() -> int:
    """Ring every doorbell that waits and is due; how many were rung. A silent queue is logged."""
    waiting = Doorbell.objects.filter(rung_at=None).select_related("stage").order_by("pk")
    rung = 0
    try:
        for bell in waiting[:500]:
            ready = Stage.objects.filter(pk=bell.stage_id, state=StageStates.READY)
            if ready.filter(~DUE).exists():
                continue
            rung += ready.exists() and push(bell.stage)
            Doorbell.objects.filter(pk=bell.pk, rung_at=None).update(rung_at=Now())
    except (redis.RedisError, OSError) as error:
        log.warning("The queue does not answer; doorbells are rung later: %s", error)
    return rung


def ring_again() -> int:
    """Ring for ready stages whose doorbell was rung and whose job is in no queue: Valkey lost its
    data, or a worker died between taking the job and claiming the stage."""
    rings = Doorbell.objects.filter(stage=OuterRef("pk"))
    lately = Q(rung_at__gt=Now() - PATIENCE) | Q(rung_at=None)
    ready = Stage.objects.filter(DUE, ~Exists(rings.filter(lately)), state=StageStates.READY)
    try:
        return sum(push(stage) for stage in ready)
    except (redis.RedisError, OSError) as error:
        log.warning("The queue does not answer; its jobs are looked up later: %s", error)
        return 0


def push(stage: Stage) -> bool:
    """Put the stage's job into its queue; False when it waits there already."""
    queue = queue_named(stage.queue)
    name = job_id(stage)
    if queue.get_job_position(name) is not None:
        return False
    job = queue.create_job(
        FUNCTION,
        args=(stage.pk,),
        job_id=name,
        timeout=-1,
        result_ttl=0,
        failure_ttl=FAILURE_TTL,
        description=f"{stage.name} of run {stage.run_id}",
    )
    queue.enqueue_job(job)
    return True


def queue_named(name: str) -> Queue:
    """Plain RQ, JSON only. (django-rq's queue returns nothing inside a transaction.)"""
    return Queue(name, connection=_client(), serializer=JSONSerializer)


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return queue_client()
