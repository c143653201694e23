"""Reading the audit trail: filters for the list, a page by key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from improvement.models import AuditRow

THINGS = ("candidate", "deployment", "warning", "hold", "run", "agent", "labelitem", "suite")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the list shows; an empty value does not filter. `thing` is "type" or "type:id"."""

    agent: str = ""
    verb: str = ""
    actor: str = ""
    thing: str = ""

    def rows(self) -> QuerySet[AuditRow]:
        """The rows that match, newest first."""
        rows = AuditRow.objects.select_related("actor", "agent").order_by("-id")
        if self.agent:
            rows = rows.filter(agent__name=self.agent)
        if self.verb:
            rows = rows.filter(verb=self.verb)
        if self.actor == "loop":
            rows = rows.filter(actor=None)
        elif self.actor:
            rows = rows.filter(actor__username=self.actor)
        kind, _, number = self.thing.partition(":")
        if kind:
            rows = rows.filter(object_type=kind)
        if number:
            rows = rows.filter(object_id=number)
        return rows


def verbs() -> list[str]:
    """The verbs that occur, for the filter."""
    return list(AuditRow.objects.order_by("verb").values_list("verb", flat=True).distinct())


def actors() -> list[str]:
    """The people who acted, for the filter."""
    rows = AuditRow.objects.exclude(actor=None).order_by("actor__username")
    return list(rows.values_list("actor__username", flat=True).distinct())
