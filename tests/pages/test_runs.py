"""The list of runs, and a run with its live stages."""

from __future__ import annotations

from typing import Any

import pytest

from improvement.models import Run
from tests import factories
from tests.pages.people import queries_of, signed_in, text_of

pytestmark = pytest.mark.django_db


def test_an_empty_list_says_what_to_do() -> None:
    assert "No run yet" in text_of(signed_in("engineer").get("/runs/"))


def test_the_list_is_filtered_in_the_address() -> None:
    run = factories.make_run(factories.make_agent("till"), state="done")
    factories.make_run(factories.make_agent("post"), state="failed")
    client = signed_in("engineer")
    page = text_of(client.get("/runs/?agent=till"))
    assert f"/runs/{run.pk}/" in page
    assert "post cycle" not in page
    assert "post cycle" in text_of(client.get("/runs/?state=failed"))
    assert "No run fits" in text_of(client.get("/runs/?agent=nobody%00"))
    assert client.get("/runs/?state=nonsense&before=x&after=-1").status_code == 200


def test_the_list_is_paged_by_key() -> None:
    agent = factories.make_agent("till")
    for cycle in range(1, 54):
        factories.make_run(agent, state="done", cycle=cycle)
    client = signed_in("engineer")
    first = client.get("/runs/")
    assert [r.row.cycle for r in first.context["runs"]] == list(range(53, 3, -1))
    second = client.get(f"/runs/?before={first.context['page'].older}")
    assert [r.row.cycle for r in second.context["runs"]] == [3, 2, 1]
    assert second.context["page"].older is None
    back = client.get(f"/runs/?after={second.context['page'].newer}")
    assert [r.row.cycle for r in back.context["runs"]] == list(range(53, 3, -1))


def test_the_queries_of_the_list_do_not_grow_with_runs() -> None:
    client = signed_in("engineer")
    factories.make_stage(factories.make_run())
    one = queries_of(client, "/runs/")
    for _ in range(4):
        factories.make_stage(factories.make_run())
    assert queries_of(client, "/runs/") == one <= 9


def working_run() -> Run:
    run = factories.make_run(factories.make_agent("till"))
    factories.make_stage(run, "collect", state="done", attempt=1, result={"attempts": 960})
    points = [{"done": step, "figures": {"loss": 2.0 / step}} for step in range(1, 6)]
    progress = {"done": 5, "total": 20, "unit": "steps", "rate": 0.5, "points": points}
    factories.make_stage(
        run, "train", state="running", attempt=2, worker="host-a", progress=progress
    )
    factories.make_stage(run, "gate")
    return run


def test_a_running_stage_shows_its_counts_rate_time_left_and_worker() -> None:
    page = text_of(signed_in("manager").get(f"/runs/{working_run().pk}/"))
    for words in ("5 of 20 steps", "0.5 steps/s", "30 s left", "host-a", "attempt 2 of 5", "960"):
        assert words in page
    assert 'class="curve"' in page


def test_its_live_part_is_polled_and_stops_with_the_run() -> None:
    run, client = working_run(), signed_in("engineer")
    assert client.get(f"/runs/{run.pk}/live/").status_code == 200
    run.state = "failed"
    run.save()
    answer = client.get(f"/runs/{run.pk}/live/")
    assert answer.status_code == 286
    assert "hx-swap-oob" in text_of(answer)
    assert "Resume" in text_of(answer)


def test_an_error_says_what_happened_and_what_to_do() -> None:
    run = factories.make_run(state="failed")
    error = "No space left on /srv <script>alert(1)</script>\x1b[2J\u202e"
    factories.make_stage(run, "train", state="quarantined", attempt=5, error=error)
    page = text_of(signed_in("engineer").get(f"/runs/{run.pk}/"))
    assert "The stage “train” did not succeed in 5 attempts" in page
    assert "finished stages are not repeated" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert not set(page) & set("\x1b\u202e")


def test_a_stage_without_a_licence_leads_to_the_labels() -> None:
    run = factories.make_run(state="failed")
    error = "No licence to gate for agent till. judge 1: Label 9 more accepted attempts."
    stage = factories.make_stage(run, "gate", state="quarantined", attempt=1, error=error)
    client = signed_in("engineer")
    page = text_of(client.get(f"/runs/{run.pk}/"))
    assert "Label 9 more accepted attempts" in page
    assert "Label attempts</a>" in page
    stage.error = "The disk is full."
    stage.save()
    assert "Label attempts</a>" not in text_of(client.get(f"/runs/{run.pk}/"))


@pytest.mark.parametrize(
    "progress",
    [
        {"done": "many", "total": None, "rate": True, "points": 3, "figures": []},
        {"done": 9, "total": 3, "points": [1, None, {"figures": 2}, {"loss": "low"}]},
        {"done": -1, "total": -4, "rate": -1, "unit": "<b>"},
    ],
)
def test_strange_progress_never_breaks_the_page(progress: dict[str, Any]) -> None:
    run = factories.make_run()
    factories.make_stage(run, state="running", progress=progress)
    assert signed_in("engineer").get(f"/runs/{run.pk}/").status_code == 200


def test_a_run_takes_few_queries() -> None:
    run = working_run()
    assert queries_of(signed_in("engineer"), f"/runs/{run.pk}/") <= 8


def test_a_run_that_is_not_there_is_not_found() -> None:
    assert signed_in("engineer").get("/runs/999999/").status_code == 404
    assert signed_in("engineer").get("/runs/99999999999999999999999/").status_code == 404
