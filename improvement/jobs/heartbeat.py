"""Keeps a stage's lease while its function computes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import Error, connection

from improvement.jobs import leases
from improvement.models import Stage

log = logging.getLogger(__name__)


@contextmanager
def beating(stage: Stage, lost: threading.Event) -> Iterator[None]:
    """Extend the lease four times a lease, on a database connection of its own; sets `lost` when
    the stage is another worker's."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(stage, lost, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=settings.PAWL_LEASE)


def _beat(stage: Stage, lost: threading.Event, stop: threading.Event) -> None:
    try:
        while not stop.wait(settings.PAWL_LEASE / 4):
            try:
                if not leases.extend(stage):
                    lost.set()
                    return
            except Error as error:
                log.warning("No heartbeat of stage %s, trying again: %s", stage.pk, error)
                connection.close()
    finally:
        connection.close()
