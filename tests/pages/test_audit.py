"""The audit list: filters, pages, and text that others wrote."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from improvement.models import AuditRow
from tests import factories
from tests.pages import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def anybody(client: Client) -> Client:
    client.force_login(factories.make_user())
    return client


def acts(client: Client, query: str = "") -> list[str]:
    text = client.get(reverse("audit") + query).content.decode()
    return re.findall(r'<span class="badge">([a-z]+)</span>', text)


def test_the_newest_act_comes_first(anybody: Client) -> None:
    scenes.approved()
    assert acts(anybody) == ["promotion", "approve"]


def test_every_filter_narrows_the_list(anybody: Client) -> None:
    candidate = scenes.approved()
    ana = factories.make_user("admin", "ana")
    AuditRow.record("rename", factories.make_agent(), actor=ana)
    AuditRow.record("launch", candidate.agent)
    assert acts(anybody, "?verb=rename") == ["rename"]
    assert acts(anybody, "?actor=ana") == ["rename"]
    assert acts(anybody, "?actor=loop") == ["launch"]
    assert acts(anybody, f"?agent={candidate.agent}") == ["launch", "promotion", "approve"]
    assert acts(anybody, "?thing=deployment") == ["promotion"]
    assert acts(anybody, f"?thing=candidate:{candidate.pk}") == ["approve"]
    assert acts(anybody, "?verb=rename&actor=loop") == []


def test_a_made_up_filter_is_no_error(anybody: Client) -> None:
    for query in ("?thing=:::", "?thing=%00", "?agent=%00", "?verb='", "?before=x", "?actor=%00"):
        assert anybody.get(reverse("audit") + query).status_code == 200


def test_pages_go_by_key(anybody: Client, django_assert_max_num_queries: Any) -> None:
    agent = factories.make_agent()
    for number in range(120):
        AuditRow.record("launch", agent, reason=f"reason {number}")
    with django_assert_max_num_queries(12):
        text = anybody.get(reverse("audit")).content.decode()
    assert "reason 119" in text
    assert "reason 69" not in text
    older = re.search(r'rel="next" href="([^"]*)"', text)
    assert older
    assert "reason 69" in anybody.get(reverse("audit") + older.group(1)).content.decode()


def test_text_is_never_markup(anybody: Client) -> None:
    AuditRow.record("launch", factories.make_agent(), reason="<img src=x>", after={"<b>": "<i>"})
    text = anybody.get(reverse("audit")).content.decode()
    assert "<img src=x" not in text
    assert "<b>" not in text


def test_an_empty_trail_says_so(anybody: Client) -> None:
    assert "Nothing has happened yet" in anybody.get(reverse("audit")).content.decode()
