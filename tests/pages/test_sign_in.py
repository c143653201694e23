"""The way in and out, and the pages for what goes wrong."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.pages.people import signed_in, text_of

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/"


def test_a_person_signs_in_and_arrives_where_they_wanted() -> None:
    user = factories.make_user("engineer")
    form = {"username": user.username, "password": factories.PASSWORD, "next": "/runs/"}
    answer = Client().post(SIGN_IN, form)
    assert (answer.status_code, answer["Location"]) == (302, "/runs/")


def test_it_never_sends_a_person_to_another_site() -> None:
    user = factories.make_user("engineer")
    form = {"username": user.username, "password": factories.PASSWORD, "next": "//evil.example"}
    assert Client().post(SIGN_IN, form)["Location"] == "/"


def test_a_wrong_password_is_answered_kindly_and_keeps_the_name() -> None:
    answer = Client().post(SIGN_IN, {"username": "anna", "password": "wrong"})
    assert "don&#x27;t go together" in text_of(answer) or "don't go together" in text_of(answer)
    assert 'value="anna"' in text_of(answer)
    assert "wrong" not in text_of(answer)


def test_password_managers_and_pasting_work() -> None:
    page = text_of(Client().get(SIGN_IN))
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "onpaste" not in page


def test_signing_out_is_a_post() -> None:
    client = signed_in("engineer")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == reverse("sign-in")
    assert client.get("/")["Location"].startswith(SIGN_IN)


def test_a_missing_page_says_so_and_never_runs_its_address() -> None:
    answer = signed_in("engineer").get("/<script>alert(1)</script>/")
    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer)
    assert "<script>alert" not in text_of(answer)


def test_the_policy_allows_no_inline_script() -> None:
    answer = signed_in("engineer").get("/")
    policy = answer["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if "script-src" in part)
    assert "unsafe" not in scripts
    assert "<script>" not in text_of(answer)
    assert " onclick=" not in text_of(answer)


def test_the_frame_shows_what_waits_and_who_is_signed_in() -> None:
    factories.make_candidate(state="review")
    page = text_of(signed_in("reviewer").get("/runs/"))
    assert "reviewer" in page
    assert "Skip to the content" in page


def test_a_person_without_a_role_is_told_that_they_may_read_only() -> None:
    assert "no role: read only" in text_of(signed_in().get("/"))
