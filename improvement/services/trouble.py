"""Turns an error of the surroundings into one clear sentence with its remedy."""

from __future__ import annotations

import errno

import psycopg
import redis
from django.db import OperationalError

from improvement.services import addresses
from improvement.services.account import ServiceError

START = "start Pawl with `python manage.py up`"


def explain(error: BaseException) -> str | None:
    """What to tell a person on the terminal, or None where a traceback says more."""
    if isinstance(error, ServiceError):
        return str(error)
    if isinstance(error, OperationalError) and _is_no_connection(error.__cause__):
        return _no_database(error)
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return _no_queue(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" ({error.filename})" if error.filename else ""
        return (
            f"The disk is full{where}. Free some space, or set PAWL_HOME to another disk. "
            "Nothing half-written was kept."
        )
    return None


def _is_no_connection(cause: BaseException | None) -> bool:
    """The server sent no error code: it was never reached, or it went away."""
    return isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None


def _no_database(error: Exception) -> str:
    if addresses.database_is_embedded():
        return f"PostgreSQL isn't running: {START}."
    said = str(error).strip().splitlines()[0]
    return f"PostgreSQL does not answer at the address in DATABASE_URL: {said}"


def _no_queue(error: Exception) -> str:
    if addresses.redis_is_embedded():
        return f"Valkey isn't running: {START}."
    return f"Redis or Valkey does not answer at the address in REDIS_URL: {error}"
