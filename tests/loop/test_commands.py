"""improve, cancel, resume, reconcile and status, without a terminal."""

import json
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from improvement.jobs import doorbell, follow, launch, outcomes, terminal
from improvement.models import Run
from tests import factories
from tests.loop.fake_stages import KINDS
from tests.loop.runs import claimed, launched, stage_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds(settings, monkeypatch):
    settings.PAWL_RUN_KINDS = KINDS
    monkeypatch.setattr(doorbell, "push", lambda _stage: True)


def said(capsys, *arguments, **options):
    call_command(*arguments, **options)
    return capsys.readouterr().out


def test_improve_names_the_agents_that_there_are():
    factories.make_agent("till")
    with pytest.raises(CommandError, match=r"no agent named 'tlil'. Agents here: till\."):
        call_command("improve", "tlil")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "nobody"}, "no user 'nobody'"),
        ({"cycles": 0}, "at least 1"),
        ({"recipe": {"widht": 1}}, "no field 'widht'"),
    ],
)
def test_improve_refuses_what_makes_no_sense(options, words):
    factories.make_agent("till")
    with pytest.raises(CommandError, match=words):
        call_command("improve", "till", **options)
    assert not Run.objects.exists()


def test_improve_refuses_a_recipe_that_is_no_json_object():
    factories.make_agent("till")
    for text in ("{", "[1]"):
        with pytest.raises(CommandError, match="--recipe"):
            call_command("improve", "till", f"--recipe={text}")


def test_improve_can_return_at_once_and_says_when_nobody_works(capsys, queues):
    factories.make_agent("till")
    person = factories.make_user("engineer", "eve")
    call_command("improve", "till", no_follow=True, by="eve", seed=5, recipe={"width": 3})
    run = Run.objects.get()
    found = capsys.readouterr()
    assert f"till cycle 1 is queued: http://127.0.0.1:8000/runs/{run.pk}/" in found.out
    assert "No worker serves the queues default, rollout, train" in found.err
    assert (run.launched_by, run.seed, run.recipe["width"]) == (person, 5, 3)


def complete_all(run, **result):
    for name in ("first", "second", "third"):
        outcomes.complete(claimed(run, name).stage, result)


def test_a_followed_run_is_told_in_lines_until_it_ends():
    run, lines = launched(), []

    def work_meanwhile(snapshots):
        for now in snapshots:
            yield now
            if now.run.state == "queued":
                complete_all(run, run_state="review")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follow, "follow", lambda run: work_meanwhile(of(run)))
        ended = terminal.show(run, lines.append)
    assert ended.state == "review"
    assert "first    waits for a worker" in lines[0]
    assert [line.split()[3:5] for line in lines[1:]] == [
        ["first", "done"],
        ["second", "done"],
        ["third", "done"],
    ]


def of(run):
    while True:
        yield follow.snapshot(run)
        if not Run.objects.get(pk=run.pk).active:
            yield follow.snapshot(run)
            return


@pytest.mark.django_db(transaction=True)
def test_improve_follows_its_cycles_and_ends_with_the_review_address(capsys, queues, monkeypatch):
    agent = factories.make_agent("till")

    def launch_fake(agent, **options):
        return original(agent, **(options | {"kind": "fake", "recipe": {}}))

    original = launch.launch
    monkeypatch.setattr(launch, "launch", launch_fake)

    def work():
        try:
            wait_for(1)
            complete_all(agent.runs.get(cycle=1), run_state="done")
            wait_for(2)
            second = agent.runs.get(cycle=2)
            factories.make_candidate(agent, run=second)
            complete_all(second, run_state="review")
        finally:
            connection.close()

    def wait_for(cycle):
        while not agent.runs.filter(cycle=cycle).exists():
            time.sleep(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    call_command("improve", "till", cycles=3)
    worker.join()
    out = capsys.readouterr().out
    assert "till cycle 1 is done." in out
    candidate = agent.candidates.get()
    assert f"till-0 awaits review: http://127.0.0.1:8000/candidates/{candidate.pk}/" in out
    assert "1 more cycle will start after the decision." in out


def test_a_failed_run_ends_the_command_with_its_message(monkeypatch):
    run = launched()
    outcomes.failed(claimed(run).stage, "There is no lamp.")
    monkeypatch.setattr(launch, "launch", lambda *_a, **_k: run)
    with pytest.raises(CommandError, match=rf"no lamp\.\nThen .* resume {run.pk}"):
        call_command("improve", run.agent.name)


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_stop_it(monkeypatch, capsys):
    run = launched()
    monkeypatch.setattr(launch, "launch", lambda *_a, **_k: run)

    def press(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal, "show", press)
    with pytest.raises(SystemExit) as ended:
        call_command("improve", run.agent.name)
    assert ended.value.code == 130
    assert f"python manage.py cancel {run.pk}" in capsys.readouterr().out
    run.refresh_from_db()
    assert run.active


def test_bars_show_the_same_in_a_terminal():
    from io import StringIO

    from rich.console import Console

    run, text = launched(), StringIO()
    claimed(run)
    progress = {"done": 30, "total": 120, "unit": "attempts", "rate": 1.5, "seconds_left": 60.0}
    run.stages.filter(name="first").update(progress=progress | {"note": "[till-1]"})
    bars = terminal.Bars(Console(file=text, force_terminal=True, width=120))
    with bars.shown():
        bars.update(follow.snapshot(run))
    assert "30 of 120 attempts, 1.5/s, 1 min 0 s left, [till-1]" in text.getvalue()


def test_nobody_working_is_said_once_after_a_while(queues, monkeypatch):
    run, lines = launched(), []
    monkeypatch.setattr(terminal, "PATIENCE", -1)
    notice = terminal.Notice(lines.append)
    for _ in range(3):
        notice.update(follow.snapshot(run))
    assert len(lines) == 1
    assert "No worker serves the queue default. Start everything: python manage.py up" in lines[0]


def test_cancel_and_resume_name_the_run_and_refuse_clearly(capsys):
    run = launched()
    assert "is being cancelled" in said(capsys, "cancel", str(run.pk))
    with pytest.raises(CommandError, match="is cancelled"):
        call_command("cancel", str(run.pk))
    assert "goes on from its first unfinished stage" in said(capsys, "resume", str(run.pk))
    assert stage_of(run).state == "ready"
    with pytest.raises(CommandError, match="is queued; only"):
        call_command("resume", str(run.pk))
    for command in ("cancel", "resume"):
        with pytest.raises(CommandError, match="There is no run 987654"):
            call_command(command, "987654")


def test_reconcile_once_says_what_it_did(capsys):
    assert "rung=0" in said(capsys, "reconcile", once=True)


def test_status_as_json_has_its_documented_keys(capsys, queues):
    evaluation = factories.make_evaluation()
    agent = evaluation.agent
    factories.make_warning(evaluation.candidate)
    factories.make_hold(agent, reason="A red warning.")
    run = factories.make_run(agent)
    factories.make_stage(run, state="running", progress={"done": 3, "total": 9, "unit": "steps"})
    found = json.loads(said(capsys, "status", json=True))
    (told,) = found["agents"]
    assert told["champion"]["name"] == f"{agent}-1"
    assert told["hold"]["reason"] == "A red warning."
    assert told["warnings"][0]["level"] == "amber"
    gate = told["gates"][0]
    assert (gate["n"], gate["wins"], gate["losses"], gate["answer"]) == (10, 6, 0, "pass")
    assert (gate["difference"], gate["interval"], gate["e_value"]) == (0.6, [0.1, 0.9], 25.0)
    stage = told["runs"][0]["stages"][0]
    assert (stage["name"], stage["done"], stage["total"]) == ("collect", 3, 9)
    assert found["queues"][0] == {"name": "default", "workers": 0}


def test_status_for_people(capsys, queues):
    assert "There is no agent yet" in said(capsys, "status")
    evaluation = factories.make_evaluation()
    factories.make_hold(evaluation.agent)
    run = factories.make_run(evaluation.agent)
    progress = {"done": 3, "total": 9, "unit": "steps", "rate": 2.0, "seconds_left": 3.0}
    factories.make_stage(run, "train", state="running", progress=progress)
    text = said(capsys, "status")
    for words in (
        "ON HOLD",
        "pass, n 10, wins 6, losses 0, difference +0.600 [+0.100, +0.900], e-value 25",
        "train    running 3 of 9 steps, 2/s, 3 s left",
        "queue default   0 workers",
    ):
        assert words in text
