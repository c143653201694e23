"""Warnings and the holds they place: acknowledged and released by people, with a reason."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from improvement.jobs import launch
from improvement.models import Agent, AuditRow, Hold, Run, RunStates, Warning
from improvement.promotion import NoReason, Refused


class DoneAlready(Refused):
    """Somebody else acknowledged or released it before."""


def acknowledge(warning: Warning, *, actor: User, reason: str) -> Warning:
    """Record that a person read the warning and why the loop may live with it."""
    _needs(reason, "a warning keeps the reason why it was accepted")
    with transaction.atomic():
        row = (
            Warning.objects.select_for_update(of=("self",))
            .select_related("agent")
            .get(pk=warning.pk)
        )
        if row.acknowledged_at:
            raise DoneAlready(
                f"{row.acknowledged_by} acknowledged this warning at "
                f"{row.acknowledged_at:%H:%M on %-d %B %Y}. Nothing was changed."
            )
        row.acknowledged_at = timezone.now()
        row.acknowledged_by = actor
        row.acknowledged_because = reason.strip()
        row.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_because"])
        AuditRow.record(
            "acknowledge",
            row,
            actor=actor,
            reason=reason.strip(),
            before={"acknowledged": False},
            after={"acknowledged": True, "sentence": row.sentence},
        )
    return row


def release(hold: Hold, *, actor: User, reason: str) -> Hold:
    """Let the loop run again: cycles that were asked for and waited for it go on. Releasing
    acknowledges the warning that placed the hold."""
    _needs(reason, "a released brake keeps its reason")
    with transaction.atomic():
        row = Hold.objects.select_for_update(of=("self",)).select_related("agent").get(pk=hold.pk)
        if row.released_at:
            raise DoneAlready(
                f"{row.released_by} released this hold at "
                f"{row.released_at:%H:%M on %-d %B %Y}. Nothing was changed."
            )
        row.released_at = timezone.now()
        row.released_by = actor
        row.released_because = reason.strip()
        row.save(update_fields=["released_at", "released_by", "released_because"])
        AuditRow.record(
            "release",
            row,
            actor=actor,
            reason=reason.strip(),
            before={"held": row.reason},
            after={"held": ""},
        )
        if row.warning and row.warning.acknowledged_at is None:
            acknowledge(row.warning, actor=actor, reason=reason)
        transaction.on_commit(lambda: _go_on(row.agent), robust=True)
    return row


def _go_on(agent: Agent) -> None:
    """Start the cycles that are left. Those of a run that awaits review start with the decision."""
    last = Run.objects.filter(agent=agent).select_related("agent").order_by("-cycle").first()
    if last and last.state == RunStates.DONE and last.cycles_left:
        launch.launch_next(last)


def _needs(reason: str, because: str) -> None:
    if not reason.strip():
        raise NoReason(f"Say why: {because}.")
