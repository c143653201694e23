"""The label queue: what waits, one attempt at a time, blind, and the label itself (POST)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from improvement import labelling
from improvement.models import Agent, Label, LabelAnswers, LabelItem, Splits, Verifier
from improvement.models.sealed import answers_of
from improvement.promotion import Refused
from reviews import labels as verbs
from reviews import transcript, verifiers
from reviews.paging import page_by_key
from reviews.permissions import require
from reviews.rubrics import rubrics_of
from reviews.sent import text

MOST_DIGITS = 18


@require_safe
def labels(request: HttpRequest) -> HttpResponse:
    page = page_by_key(Verifier.objects.all(), request.GET)
    trust = verifiers.trust(page.rows)
    rows = [row for row in trust if row.deciding or (row.judged and not row.person)]
    rows.sort(key=lambda row: (not row.deciding, row.licence.valid, -row.verifier.pk))
    shown = {"rows": rows, "page": page}
    return render(request, "labels/list.html", shown)


@require_safe
@never_cache
@require("label")
def label_next(request: HttpRequest, agent_name: str, verifier_id: int) -> HttpResponse:
    """The next attempt for this person; a fresh set is drawn when few wait."""
    agent, verifier = _load(agent_name, verifier_id)
    labelling.draw_if_few(agent, verifier)
    item = verbs.reserve(agent, verifier, _person(request))
    return _show(request, agent, verifier, item, done=_done(request, agent, verifier))


@require_POST
@require("label")
def label(request: HttpRequest, agent_name: str, verifier_id: int, item_id: int) -> HttpResponse:
    agent, verifier = _load(agent_name, verifier_id)
    item = get_object_or_404(LabelItem, pk=item_id, agent=agent, verifier=verifier)
    note = text(request.POST, "note")
    try:
        verbs.label(item, person=_person(request), answer=text(request.POST, "answer"), note=note)
    except verbs.LabelledAlready as refusal:
        messages.error(request, str(refusal))
        return redirect("label-next", agent_name, verifier_id)
    except Refused as refusal:
        return _show(request, agent, verifier, item, refusal=str(refusal), note=note, status=409)
    return redirect(reverse("label-next", args=[agent_name, verifier_id]) + f"?done={item.pk}")


@require_POST
@require("draw-labels")
def labels_draw(request: HttpRequest, agent_name: str, verifier_id: int) -> HttpResponse:
    agent, verifier = _load(agent_name, verifier_id)
    added = labelling.draw(agent, verifier)
    if added:
        messages.success(request, f"{added} more attempts of {agent} wait for a label.")
    else:
        messages.info(
            request,
            f"Every attempt of {agent} that {verifier} has judged is drawn already. "
            "New ones come with the next run.",
        )
    return redirect("labels")


def _load(agent_name: str, verifier_id: int) -> tuple[Agent, Verifier]:
    return get_object_or_404(Agent, name=agent_name), get_object_or_404(Verifier, pk=verifier_id)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _done(request: HttpRequest, agent: Agent, verifier: Verifier) -> Label | None:
    """The label that this person has just given: now they may read what the verifier had said."""
    asked = request.GET.get("done", "")
    if not (asked.isascii() and asked.isdigit()) or len(asked) > MOST_DIGITS:
        return None
    own = Label.objects.filter(labeller=_person(request), item=int(asked))
    own = own.filter(item__agent=agent, item__verifier=verifier)
    return own.select_related("item", "item__verifier").first()


def _show(
    request: HttpRequest,
    agent: Agent,
    verifier: Verifier,
    item: LabelItem | None,
    *,
    done: Label | None = None,
    refusal: str = "",
    note: str = "",
    status: int = 200,
) -> HttpResponse:
    """The attempt without its verdict, or the end of the queue."""
    unlabelled = labelling.waiting_items().filter(agent=agent, verifier=verifier).count()
    shown: dict[str, Any] = {
        "agent": agent,
        "verifier": verifier,
        "item": item,
        "done": done,
        "agrees": done and (done.answer == LabelAnswers.RIGHT) == (done.item.answer == "pass"),
        "refusal": refusal,
        "note": note,
        "unlabelled": unlabelled,
        "minutes": verbs.MINUTES,
        "answers": list(zip(LabelAnswers.choices, ("check", "cross", "question"), strict=True)),
    }
    if item:
        shown |= _blind(item) | {"rubrics": rubrics_of(verifier.settings)}
    return render(request, "labels/item.html", shown, status=status)


def _blind(item: LabelItem) -> dict[str, Any]:
    """What a person needs in order to judge, and nothing that a verifier said."""
    attempt = item.trajectory
    read = transcript.read(attempt)
    steps = [replace(step, verdicts=(), cut=False) for step in read.done]
    task = attempt.task
    opened = task.split == Splits.HELDOUT and not task.sealed
    reference = answers_of([task]).get(task.pk, {}) if opened else task.reference
    return {
        "attempt": attempt,
        "task": task,
        "steps": steps,
        "cut": any(step.cut for step in read.done) or read.hidden,
        "reference": {} if task.sealed else reference,
    }
