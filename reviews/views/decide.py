"""A person decides: POST only. What was written is never lost, whatever refuses it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from improvement.promotion import Refused
from reviews import decisions
from reviews.permissions import require
from reviews.sent import text
from reviews.views.candidate import load, show

VERBS = {
    "approve": decisions.approve,
    "reject": decisions.reject,
    "changes": decisions.request_changes,
}


@require_POST
@require("decide")
def decide(request: HttpRequest, candidate_id: int) -> HttpResponse:
    found = load(candidate_id)
    verb = VERBS.get(text(request.POST, "decision"))
    version = text(request.POST, "version")
    if verb is None or not version.isdecimal() or len(version) > 9:
        return HttpResponseBadRequest("The form was incomplete. Go back, reload and send it again.")
    reason = text(request.POST, "reason")
    try:
        review = verb(
            found,
            reviewer=request.user,  # type: ignore[arg-type]
            reason=reason,
            evidence_digest=text(request.POST, "evidence"),
            expected_version=int(version),
        )
    except Refused as refusal:
        return show(request, load(candidate_id), reason=reason, refusal=str(refusal), status=409)
    done = f"{found} is {review.get_decision_display()}."
    if review.decision == "approve":
        done += f" It serves {found.agent} from now on."
    messages.success(request, done)
    return redirect("candidate", candidate_id)
