"""What the database itself refuses, whoever writes the SQL."""

import pytest
from django.db import IntegrityError, connection, transaction

from improvement.models import (
    AppendOnlyError,
    AuditRow,
    Candidate,
    Deployment,
    JunkReport,
    Label,
    LabelItem,
    LicenceEvent,
)
from reviews.models import Review
from tests.factories import (
    deploy,
    make_agent,
    make_candidate,
    make_champion,
    make_dataset,
    make_evaluation,
    make_hold,
    make_run,
    make_signal,
    make_stage,
    make_task,
    make_trajectory,
    make_user,
    make_verifier,
)

pytestmark = [pytest.mark.django_db, pytest.mark.external]

APPEND_ONLY = [
    "improvement_verdict",
    "improvement_dataset",
    "improvement_datasetitem",
    "improvement_evaluation",
    "improvement_evaluationitem",
    "improvement_signal",
    "improvement_auditrow",
    "improvement_junkreport",
    "improvement_licenceevent",
    "improvement_label",
    "reviews_review",
]


def review(candidate, **fields):
    fields = {"decision": "approve", "reason": "It wins.", "evidence_digest": "0" * 64} | fields
    return Review.objects.create(candidate=candidate, **fields)


def fill_every_table():
    """At least one row in each append-only table."""
    candidate = make_candidate()
    make_evaluation(candidate)
    make_signal(candidate)
    run = make_run(candidate.agent, state="done")
    attempt = make_trajectory(candidate=candidate)
    make_dataset(run, [attempt])
    versions = {"agent": candidate.agent, "verifier": make_verifier()}
    JunkReport.objects.create(passed=True, **versions)
    LicenceEvent.objects.create(granted=True, reason="The junk battery passed.", **versions)
    item = LabelItem.objects.create(trajectory=attempt, answer="pass", family="f", **versions)
    Label.objects.create(item=item, labeller=make_user("reviewer"), answer="right")
    AuditRow.record("made", candidate)
    review(candidate, reviewer=make_user("reviewer"))


def refused(statement, *parameters, saying="append-only"):
    with pytest.raises(IntegrityError, match=saying), transaction.atomic():
        cursor = connection.cursor()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing pending for a TRUNCATE
        cursor.execute(statement, parameters)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_it_refuses_sql_that_changes_an_append_only_table(table, statement):
    fill_every_table()
    refused(statement.format(table))


def test_every_append_only_model_has_its_trigger():
    from django.apps import apps

    from improvement.models.base import AppendOnly

    tables = {m._meta.db_table for m in apps.get_models() if issubclass(m, AppendOnly)}
    assert tables == set(APPEND_ONLY)


def test_python_refuses_too():
    row = AuditRow.record("made", make_agent())
    with pytest.raises(AppendOnlyError):
        row.save()
    with pytest.raises(AppendOnlyError):
        row.delete()


def test_a_deployment_may_end_once_and_nothing_else():
    champion = make_champion()
    row = champion.agent.deployment
    table = "improvement_deployment"
    refused(f"UPDATE {table} SET reason = 'another' WHERE id = %s", row.pk)
    refused(f"DELETE FROM {table} WHERE id = %s", row.pk)
    refused(f"TRUNCATE {table} CASCADE")
    deploy(make_candidate(champion.agent, state="approved"))
    refused(f"UPDATE {table} SET ended_at = NULL WHERE id = %s", row.pk)
    refused(f"UPDATE {table} SET ended_at = now() WHERE id = %s", row.pk)


def test_an_agent_has_one_champion():
    champion = make_champion()
    other = make_candidate(champion.agent, state="approved")
    with pytest.raises(IntegrityError, match="one_champion_per_agent"), transaction.atomic():
        Deployment.objects.create(
            agent=champion.agent, candidate=other, kind="promotion", reason="a second"
        )


def test_an_agent_has_one_open_hold():
    agent = make_agent()
    make_hold(agent)
    with pytest.raises(IntegrityError, match="one_hold_per_agent"), transaction.atomic():
        make_hold(agent)


def test_the_proposer_can_not_review():
    person = make_user("reviewer")
    candidate = make_candidate(proposer=person)
    with pytest.raises(IntegrityError, match="reviewer_is_not_proposer"), transaction.atomic():
        review(candidate, reviewer=person)


def test_the_proposer_can_not_hide_behind_another_name():
    person = make_user("reviewer")
    candidate = make_candidate(proposer=person)
    with pytest.raises(IntegrityError, match="reviewer_is_not_proposer"), transaction.atomic():
        review(candidate, reviewer=person, proposer=make_user())


def test_a_candidate_is_decided_once():
    candidate = make_candidate()
    review(candidate, reviewer=make_user("reviewer"), decision="approve")
    with pytest.raises(IntegrityError, match="one_final_decision"), transaction.atomic():
        review(candidate, reviewer=make_user("reviewer"), decision="reject")


def test_a_review_needs_a_reason():
    with pytest.raises(IntegrityError, match="review_has_a_reason"), transaction.atomic():
        review(make_candidate(), reviewer=make_user("reviewer"), reason="")


def test_a_stage_is_unique_in_its_run():
    stage = make_stage()
    with pytest.raises(IntegrityError, match="stage_unique"), transaction.atomic():
        make_stage(stage.run, stage.name)


def test_an_agent_runs_one_cycle_at_a_time():
    run = make_run()
    with pytest.raises(IntegrityError, match="run_one_at_a_time"), transaction.atomic():
        make_run(run.agent)


def test_a_fingerprint_is_in_one_split():
    task = make_task(split="train")
    with pytest.raises(IntegrityError, match="task_one_split"), transaction.atomic():
        make_task(task.agent, "heldout", fingerprint=task.fingerprint)


@pytest.mark.parametrize(
    "change",
    ["bundle_digest = 'x'", "adapter_digest = 'x'", "frozen_at = NULL", "proposer_id = NULL"],
)
def test_a_frozen_candidate_can_not_change(change):
    candidate = make_candidate(proposer=make_user("engineer"))
    refused(
        f"UPDATE improvement_candidate SET {change} WHERE id = %s",
        candidate.pk,
        saying="frozen: only its state may change",
    )


def test_the_state_of_a_frozen_candidate_may_change():
    candidate = make_candidate()
    Candidate.objects.filter(pk=candidate.pk).update(state="approved", version=1)
    assert Candidate.objects.get(pk=candidate.pk).state == "approved"


@pytest.mark.django_db(transaction=True)
def test_a_committing_test_leaves_empty_tables_and_working_triggers():
    fill_every_table()


@pytest.mark.django_db(transaction=True)
def test_the_triggers_work_after_a_committing_test():
    assert not AuditRow.objects.exists()
    AuditRow.record("made", make_agent())
    refused("DELETE FROM improvement_auditrow")
