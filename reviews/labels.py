"""Labelling by people, blind: one item at a time, reserved, labelled once by each person.

An item is reserved for MINUTES, so that two people don't read the same one; an expired reservation
counts until somebody else takes the item. Some items want a second label by another person. A
label never changes and none is taken back.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from improvement import labelling
from improvement.licences import PERSON, licence_of, note_licence
from improvement.models import (
    Agent,
    Answers,
    AuditRow,
    Label,
    LabelAnswers,
    LabelItem,
    LicenceEvent,
    Trajectory,
    Verdict,
    Verifier,
)
from improvement.promotion import Refused
from improvement.records import digest_of

MINUTES = 10
TRIED = 20
NOTE_LETTERS = 2_000
SETTINGS = {"asked": "label queue"}


class NotYours(Refused):
    """Somebody else has the item, or the person never opened it."""


class LabelledAlready(Refused):
    """By this person, or by as many as it needs."""


def queue(agent: Agent, verifier: Verifier, person: User) -> QuerySet[LabelItem]:
    """What this person may label now: verdicts left to a person first, then in the order drawn."""
    now = timezone.now()
    mine_or_free = (
        Q(reserved_by=person)
        | Q(reserved_by=None)
        | Q(reserved_until=None)
        | Q(reserved_until__lt=now)
    )
    items = labelling.waiting_items().filter(mine_or_free, agent=agent, verifier=verifier)
    seen = Label.objects.filter(labeller=person, item__agent=agent, item__verifier=verifier)
    visible = items.filter(trajectory__in=Trajectory.objects.visible())
    return visible.exclude(pk__in=seen.values("item")).order_by("-decides", "pk")


def reserve(agent: Agent, verifier: Verifier, person: User) -> LabelItem | None:
    """The next item, this person's for MINUTES; an item in their hands already comes first. None
    when nothing is left for them."""
    until = timezone.now() + timedelta(minutes=MINUTES)
    waiting = queue(agent, verifier, person)
    mine = waiting.filter(reserved_by=person, reserved_until__gt=timezone.now())
    for pk in [
        *mine.values_list("pk", flat=True)[:1],
        *waiting.values_list("pk", flat=True)[:TRIED],
    ]:
        free = Q(reserved_by=person) | Q(reserved_until=None) | Q(reserved_until__lt=timezone.now())
        row = LabelItem.objects.filter(free, pk=pk)
        if row.update(reserved_by=person, reserved_until=until):
            return LabelItem.objects.select_related("agent", "verifier").get(pk=pk)
    return None


def label(item: LabelItem, *, person: User, answer: str, note: str = "") -> Label:
    """Write what `person` says of the attempt; on an item that decides, as a verdict too."""
    if answer not in LabelAnswers.values:
        raise Refused("Say right, wrong or can't tell. Nothing was saved.")
    with transaction.atomic():
        rows = LabelItem.objects.select_for_update(of=("self",))
        row = rows.select_related("agent", "verifier", "reserved_by").get(pk=item.pk)
        _check(row, person)
        written = Label.objects.create(
            item=row, labeller=person, answer=answer, note=note.strip()[:NOTE_LETTERS]
        )
        row.reserved_by = row.reserved_until = None
        row.second |= row.decides and answer == LabelAnswers.UNSURE  # then somebody else is asked
        row.save(update_fields=["reserved_by", "reserved_until", "second"])
        if row.decides and answer != LabelAnswers.UNSURE:
            _decide(row, written)
        AuditRow.record(
            "label",
            row,
            actor=person,
            reason=written.note,
            after={
                "answer": answer,
                "trajectory": row.trajectory_id,
                "verifier": row.verifier.digest,
            },
        )
        _note_licence(row.agent, row.verifier)
    return written


def _check(row: LabelItem, person: User) -> None:
    """Refuse unless the item still waits for a label of this person. Holds the item's lock."""
    labellers = list(row.labels.values_list("labeller_id", flat=True))
    if person.pk in labellers:
        more = " A second label must be another person's." if row.second else ""
        raise LabelledAlready(f"You labelled this attempt already; your first label stands.{more}")
    if len(labellers) >= (2 if row.second else 1):
        raise LabelledAlready(
            "Somebody else labelled this attempt meanwhile, because your reservation had run out. "
            "Your label was not needed any more; take the next one."
        )
    if row.reserved_by_id != person.pk:
        who = row.reserved_by.get_username() if row.reserved_by else ""
        raise NotYours(
            f"Your reservation ran out after {MINUTES} minutes and {who} reads this attempt now. "
            "Nothing was saved; your note is kept below. Take the next one."
            if who
            else "Open the attempt from the queue first: nobody has it reserved. Nothing was saved."
        )


def _decide(row: LabelItem, written: Label) -> None:
    """The label as a verdict by a person, and the attempt's answer."""
    answer = Answers.PASS if written.answer == LabelAnswers.RIGHT else Answers.FAIL
    trajectory = row.trajectory
    _, first = Verdict.objects.get_or_create(
        trajectory=trajectory,
        verifier=person_row(),
        defaults={
            "answer": answer,
            "score": 1.0 if answer == Answers.PASS else 0.0,
            "evidence": {
                "reason": written.note
                or f"{written.labeller.get_username()} said {written.answer}",
                "expected": None,
                "found": trajectory.final_answer[:2000],
                "step": None,
                "labelled by": written.labeller.get_username(),
            },
        },
    )
    if first:  # an earlier label on the same attempt, for another verifier, stands
        Trajectory.objects.filter(pk=trajectory.pk).update(answer=answer)


def person_row() -> Verifier:
    """The verifier that stands for people's labels. Not the one that only asks for a person: that
    one's verdict is the error which the label settles, and an attempt has one verdict of each."""
    row, _ = Verifier.objects.get_or_create(
        digest=digest_of([PERSON, "1", SETTINGS]),
        defaults={"name": PERSON, "version": "1", "settings": SETTINGS, "deterministic": False},
    )
    return row


def _note_licence(agent: Agent, verifier: Verifier) -> None:
    """Add to the licence's history when this label granted it or took it away."""
    last = LicenceEvent.objects.filter(agent=agent, verifier=verifier).order_by("-id").first()
    granted = last.granted if last else False
    if licence_of(agent, verifier).valid != granted:
        note_licence(agent, verifier)
