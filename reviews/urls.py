"""The pages. A route's name is its page's name; every mutation is a POST of its own."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from reviews.views import (
    audit,
    candidate,
    candidates,
    decide,
    deployments,
    home,
    labels,
    pair,
    run,
    run_acts,
    runs,
    sign_in,
    suites,
    trajectories,
    trajectory,
    trends,
    verifiers,
    warnings,
)

urlpatterns = [
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("", home.home, name="home"),
    # Runs
    path("runs/", runs.runs, name="runs"),
    path("runs/launch/<slug:agent_name>/", run_acts.run_launch, name="run-launch"),
    path("runs/<int:run_id>/", run.run, name="run"),
    path("runs/<int:run_id>/live/", run.run_live, name="run-live"),
    path("runs/<int:run_id>/strip/", run.run_strip, name="run-strip"),
    path("runs/<int:run_id>/cancel/", run_acts.run_cancel, name="run-cancel"),
    path("runs/<int:run_id>/resume/", run_acts.run_resume, name="run-resume"),
    # Trajectories
    path("trajectories/", trajectories.trajectories, name="trajectories"),
    path("trajectories/<int:trajectory_id>/", trajectory.trajectory, name="trajectory"),
    path("trajectories/<int:trajectory_id>/raw/", trajectory.trajectory_raw, name="trajectory-raw"),
    # Candidates and their review
    path("candidates/", candidates.candidates, name="candidates"),
    path("candidates/<int:candidate_id>/", candidate.candidate, name="candidate"),
    path("candidates/<int:candidate_id>/decide/", decide.decide, name="candidate-decide"),
    path("candidates/<int:candidate_id>/pairs/<int:item_id>/", pair.pair, name="pair"),
    # Deployments
    path("deployments/", deployments.deployments, name="deployments"),
    path("deployments/<slug:agent_name>/roll-back/", deployments.rollback, name="roll-back"),
    # Suites
    path("suites/", suites.suites, name="suites"),
    path("suites/<slug:suite_name>/", suites.suite, name="suite"),
    # Labels and verifiers
    path("labels/", labels.labels, name="labels"),
    path("labels/<slug:agent_name>/<int:verifier_id>/next/", labels.label_next, name="label-next"),
    path(
        "labels/<slug:agent_name>/<int:verifier_id>/items/<int:item_id>/",
        labels.label,
        name="label",
    ),
    path(
        "labels/<slug:agent_name>/<int:verifier_id>/draw/", labels.labels_draw, name="labels-draw"
    ),
    path("verifiers/", verifiers.verifiers, name="verifiers"),
    path("verifiers/<int:verifier_id>/", verifiers.verifier, name="verifier"),
    # Trends
    path("trends/", trends.trends, name="trends"),
    # Warnings and holds
    path("warnings/", warnings.warnings, name="warnings"),
    path(
        "warnings/<int:warning_id>/acknowledge/",
        warnings.warning_acknowledge,
        name="warning-acknowledge",
    ),
    path("holds/<int:hold_id>/release/", warnings.hold_release, name="hold-release"),
    # Audit
    path("audit/", audit.audit, name="audit"),
]
