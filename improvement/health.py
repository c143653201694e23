"""For load balancers and containers: is this process up, and can it do its work?"""

from __future__ import annotations

import logging

import redis
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from improvement.services import addresses

log = logging.getLogger(__name__)


@login_not_required
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers. Touches neither database nor queue."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 where database and queue answer, else 503 naming the one that does not."""
    found = {"database": database_answers(), "queue": queue_answers()}
    words = {name: "ok" if fine else "does not answer" for name, fine in found.items()}
    return JsonResponse(words, status=200 if all(found.values()) else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("database: %s", str(error).strip())
        return False
    return True


def queue_answers() -> bool:
    try:
        queue_client().ping()
    except (redis.RedisError, OSError) as error:
        log.warning("queue: %s", error)
        return False
    return True


def queue_client() -> redis.Redis:
    """A client that gives up after two seconds, without trying again."""
    return redis.Redis.from_url(
        addresses.redis_url(),
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )
