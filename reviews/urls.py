"""The pages. A route's name is its page's name; every mutation is a POST of its own."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from reviews.views import home, run, run_acts, runs, sign_in, trajectories, trajectory

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
    # Deployments
    # Trends
    # Warnings and holds
    # Audit
]
