"""The one function that a job of the queue may name."""

from __future__ import annotations

import logging
import os
import socket
import traceback

from django.db import connections

from improvement.jobs import leases, outcomes
from improvement.jobs.context import Cancelled, FenceLost, StageFailed
from improvement.jobs.heartbeat import beating
from improvement.jobs.plan import function_of
from improvement.jobs.working import HandedBack, Working
from improvement.models import Stage
from improvement.services.trouble import explain

log = logging.getLogger(__name__)
TAIL = 12  # lines of a traceback that are kept with the stage


def run_stage(stage_id: int) -> None:
    """Claim the stage and do its work. Does nothing when somebody else has it; safe to repeat."""
    stage = leases.claim(stage_id, worker_name())
    if stage is None:
        log.info("stage %s: nothing to claim", stage_id)
        return
    log.info("stage %s: %s, attempt %s", stage_id, stage, stage.attempt)
    context = Working(stage)
    try:
        _work(context)
    except FenceLost as lost:
        log.warning("stage %s: %s", stage_id, lost)
    except Exception as error:
        log.exception("stage %s", stage_id)
        _retry(stage, error)


def _work(context: Working) -> None:
    stage = context.stage
    try:
        with beating(stage, context.lost):
            context.check()
            result = function_of(stage)(context)
            context.save_progress()
        outcomes.complete(stage, result)
    except HandedBack:
        outcomes.hand_back(stage)
    except Cancelled:
        outcomes.cancelled(stage)
    except StageFailed as failure:
        outcomes.failed(stage, str(failure))


def worker_name() -> str:
    return os.environ.get("RQ_WORKER_ID") or f"{socket.gethostname()}-{os.getpid()}"


def _retry(stage: Stage, error: Exception) -> None:
    connections.close_all()  # the error may be that of a broken connection
    try:
        outcomes.retry(stage, _told(stage, error))
    except FenceLost as lost:
        log.warning("stage %s: %s", stage.pk, lost)


def _told(stage: Stage, error: Exception) -> str:
    """A sentence with its remedy where there is one, else the end of the traceback. At the gate
    an error's own words stay in the worker's log: they may quote a sealed task."""
    if sentence := explain(error):
        return sentence
    if stage.name == "gate":
        return f"{type(error).__name__} at the gate. The worker's log has the whole error."
    lines = "".join(traceback.format_exception(error)).strip().split("\n")
    return "\n".join(lines[-TAIL:])
