"""The till: tasks, tools, demonstrations."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from improvement.agent.environments.till import ITEMS, Till, TillEpisode, plural, wish_of

PRICES = {"lamp": 12, "rug": 35, "box": 7}


def test_a_customer_is_served() -> None:
    episode = TillEpisode(PRICES)
    assert episode.act("price lamp\n").text == "it costs 12"
    assert episode.act("price rugs").text == "it costs 35"
    assert episode.act("calc 3*12+2*35").text == "106"
    last = episode.act("answer 106")
    assert last.done
    assert episode.goal_state() == "106"


def test_a_mistake_is_told_to_the_agent_and_the_customer_waits() -> None:
    episode = TillEpisode(PRICES)
    for wrong in ("price gold", "calc 3**9", "answer lots", "", "hello", "price", "\n\n"):
        seen = episode.act(wrong)
        assert seen.error
        assert seen.text.startswith("error: ")
        assert not seen.done
    assert episode.goal_state() == ""


@given(st.text())
def test_nothing_that_a_model_writes_breaks_the_till(text: str) -> None:
    seen = TillEpisode(PRICES).act(text)
    assert seen.error or seen.result


@given(st.integers(0, 2**63 - 1), st.sampled_from([1, 2, 3]))
def test_equal_seeds_give_equal_tasks_with_a_true_answer(seed: int, level: int) -> None:
    till = Till()
    task = till.generate(seed, level)
    assert task == till.generate(seed, level)
    assert task.level == level
    answer = _serve(till, task)
    assert answer == task.reference["answer"]


def _serve(till: Till, task) -> str:  # type: ignore[no-untyped-def]
    episode = till.start(task)
    words = task.prompt.removeprefix("customer wants ").replace(" and ", ", ").split(", ")
    terms = []
    for quantity, name in (word.split() for word in words):
        terms.append(f"{quantity}*{episode.act(f'price {name}').text.split()[-1]}")
    episode.act(f"answer {episode.act('calc ' + '+'.join(terms)).text}")
    return episode.goal_state()


def test_the_split_follows_from_the_problem_alone() -> None:
    till = Till()
    found: dict[str, str] = {}
    for seed in range(3000):
        task = till.generate(seed, 1)
        assert found.setdefault(task.fingerprint, task.split) == task.split
    shares = [list(found.values()).count(s) / len(found) for s in ("train", "dev", "heldout")]
    assert all(abs(a - b) < 0.05 for a, b in zip(shares, (0.6, 0.1, 0.3), strict=True))


def test_every_demonstration_serves_its_customer() -> None:
    till = Till()
    shown = till.demonstrations()
    assert [sum(d.level == level for d in shown) for level in (1, 2, 3)] == [8, 8, 8]
    for d in [*till._written()]:
        assert d.messages[0].role == "user"
        _replay(d.messages)


def _replay(messages) -> None:  # type: ignore[no-untyped-def]
    prices = {}
    turns = list(pairwise(messages[1:]))
    for said, heard in turns:
        if said.content.startswith("price "):
            prices[said.content[6:]] = int(heard.content.split()[-1])
    episode = TillEpisode(prices)
    order = messages[0].content.removeprefix("customer wants ").replace(" and ", ", ").split(", ")
    names = {plural(name): name for name in prices}
    total = sum(int(q) * prices[names[n]] for q, n in (part.split() for part in order))
    for said, heard in turns:
        if said.role == "assistant":
            assert episode.act(said.content).text == heard.content
    assert episode.act(messages[-1].content).done
    assert episode.goal_state() == str(total)


def test_demonstrations_and_worked_examples_are_different_customers() -> None:
    prints = [d.fingerprint for d in Till()._written()]
    assert len(set(prints)) == len(prints) == 28


def test_names_are_distinct_also_in_the_plural() -> None:
    assert len({*ITEMS, *map(plural, ITEMS)}) == 2 * len(ITEMS)


def test_a_wish_reads_as_a_person_says_it() -> None:
    assert wish_of([("lamp", 3)]) == "customer wants 3 lamps"
    assert wish_of([("lamp", 3), ("box", 2)]) == "customer wants 3 lamps and 2 boxes"
    three = wish_of([("lamp", 3), ("box", 2), ("rug", 4)])
    assert three == "customer wants 3 lamps, 2 boxes and 4 rugs"
