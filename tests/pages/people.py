"""People in front of a browser."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import factories


def signed_in(role: str = "", user: User | None = None) -> Client:
    """A browser in which a person of this role (or nobody's: "") has signed in."""
    client = Client()
    client.force_login(user or factories.make_user(role))
    return client


def text_of(response: Any) -> str:
    return str(response.content.decode())


def queries_of(client: Client, url: str) -> int:
    """How many queries one reading of a page takes, once the session is known."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
