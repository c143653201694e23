"""Held-out answers: the database shows them to the evaluation role alone."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from improvement.jobs.tasks import keep, records_of
from improvement.models import SealedAnswer, Task
from improvement.models.sealed import answers_of, evaluation_role
from improvement.records import TaskRecord
from tests.factories import make_agent

pytestmark = pytest.mark.django_db


def sealed_task(split: str = "heldout") -> Task:
    record = TaskRecord("t-1", "sums", 1, split, "1 + 1", {"answer": "two"}, "f" * 64)  # type: ignore[arg-type]
    return keep(make_agent(), [record])[0]


def test_a_held_out_answer_is_not_in_the_task_row() -> None:
    task = sealed_task()
    assert task.reference == {}
    assert task.as_record().reference == {}


def test_nobody_reads_it_outside_the_evaluation_role() -> None:
    sealed_task()
    assert not SealedAnswer.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM improvement_sealedanswer")
        assert cursor.fetchone()[0] == 0


def test_the_evaluation_role_reads_it_and_gives_the_role_back() -> None:
    task = sealed_task()
    assert answers_of([task]) == {task.pk: {"answer": "two"}}
    assert not SealedAnswer.objects.exists()


def test_the_role_ends_when_its_work_fails() -> None:
    sealed_task()
    with pytest.raises(RuntimeError, match="broken"), evaluation_role():
        raise RuntimeError("broken")
    assert not SealedAnswer.objects.exists()


def test_nobody_changes_it_outside_the_evaluation_role() -> None:
    task = sealed_task()
    assert SealedAnswer.objects.update(reference={"answer": "three"}) == 0
    assert SealedAnswer.objects.all()._raw_delete(using="default") == 0
    assert answers_of([task])[task.pk] == {"answer": "two"}


def test_the_database_refuses_a_held_out_task_with_an_open_answer() -> None:
    task = sealed_task()
    with pytest.raises(IntegrityError, match="task_heldout_is_sealed"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(reference={"answer": "two"})


def test_a_training_task_keeps_its_answer_in_the_open() -> None:
    task = sealed_task("train")
    assert records_of([task])[task.pk].reference == {"answer": "two"}
    assert answers_of([task]) == {}


def test_keeping_a_task_twice_seals_it_once() -> None:
    record = TaskRecord("t-1", "sums", 1, "heldout", "1 + 1", {"answer": "two"}, "f" * 64)
    agent = make_agent()
    first, second = keep(agent, [record]), keep(agent, [record])
    assert first == second
    assert answers_of(second) == {first[0].pk: {"answer": "two"}}
