"""Suites by name: made at the first import, and every change on the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from improvement.jobs.importing.report import Report
from improvement.models import AuditRow, Suite

FIELDS = ("title", "verifier", "system_prompt")


class SuiteRefused(ValueError):
    """The suite can't be made like this; the message says why."""


@transaction.atomic
def open_suite(
    name: str, given: Mapping[str, Any], actor: User | None = None
) -> tuple[Suite, bool]:
    """The suite of that name, and whether it is new. What `given` holds (title, verifier,
    system_prompt; None: not given) becomes its own."""
    asked = {field: given[field] for field in FIELDS if given.get(field) is not None}
    suite = Suite.objects.select_for_update().filter(name=name).first()
    if suite is None:
        suite = Suite(name=name, **asked)
        _check(suite)
        suite.save()
        AuditRow.record("create suite", suite, actor=actor, after=asked)
        return suite, True
    before = {field: getattr(suite, field) for field in asked}
    if before != asked:
        for field, value in asked.items():
            setattr(suite, field, value)
        _check(suite)
        suite.save()
        AuditRow.record("change suite", suite, actor=actor, before=before, after=asked)
    return suite, False


def record_import(
    verb: str, suite: Suite, report: Report, source: str, actor: User | None = None
) -> None:
    """One row for an import that added something."""
    if report.added:
        figures = {"added": report.added, "already there": report.there, "bad": report.bad}
        AuditRow.record(verb, suite, actor=actor, reason=f"from {source}", after=figures)


def _check(suite: Suite) -> None:
    try:
        suite.clean_fields()
    except ValidationError as error:
        wrong = "; ".join(f"{k}: {' '.join(v)}" for k, v in error.message_dict.items())
        raise SuiteRefused(f"Suite {suite.name!r}: {wrong}") from error
