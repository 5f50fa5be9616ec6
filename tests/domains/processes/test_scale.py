"""Many runs in one instance: each completion costs what it costs in a small one, and all of them go at once when they must."""
# ruff: noqa: E501 - a diagram reads better when an element is not broken

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

import pytest
from django.db import connection

from furong.domains.processes import definitions, engine, queries
from furong.domains.processes.saving import Resumed
from furong.domains.processes.store import Loaded
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.support import LIVE_TABLES, NOW, open_tasks, publish, rows, state_is_empty

pytestmark = pytest.mark.usefixtures("database")


def repeated(attributes: str, more: str = "") -> bytes:
    """A user task that runs several times, with a timer on it, beside another task."""
    return bpmn(
        f"""
        <startEvent id="s"/>
        <parallelGateway id="fork"/>
        <userTask id="beside"/>
        <userTask id="a" furong:result="said" furong:outcomes="yes no">
        <multiInstanceLoopCharacteristics furong:output_collection="votes" furong:output_element="said" {attributes}>{more}</multiInstanceLoopCharacteristics>
        </userTask>
        <boundaryEvent id="late" attachedToRef="a"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>
        <userTask id="after"/>
        <endEvent id="e"/>
        """,
        "s -> fork\nfork -> a\nfork -> beside\nbeside -> e\na -> after\nlate -> after\nafter -> e",
    )


LATER = NOW + timedelta(days=2)
COUNTED = "<loopCardinality>runs</loopCardinality>"


def start(xml: bytes, **variables: object) -> UUID:
    published = publish(xml)
    step = engine.start(
        definition=definitions.by_digest(published.digest), business_key="k", variables=variables, now=NOW
    )
    rows_known()
    return step.instance_id


def rows_known() -> None:
    """Do what autovacuum, which the tests' cluster has switched off, does: plans made for empty tables are made anew."""
    with connection.cursor() as cursor:
        for table in LIVE_TABLES:
            cursor.execute(f"ANALYZE processes_{table}")


def tasks(instance: UUID, element: str = "a") -> list[UUID]:
    found = rows(
        "SELECT id FROM processes_task WHERE instance_id = %s AND element_id = %s ORDER BY token", instance, element
    )
    return [key for (key,) in found]


def complete(task: UUID) -> float:
    """Complete one run; give how long it took, in milliseconds."""
    began = time.perf_counter()
    engine.complete_task(task_id=task, variables={}, outcome="yes", now=NOW)
    return (time.perf_counter() - began) * 1000


def count(what: str, *params: object) -> int:
    return int(rows(f"SELECT count(*) FROM {what}", *params)[0][0])


def finish(instance: UUID) -> None:
    """Do what is left once the runs are over."""
    assert set(open_tasks(instance)) == {"after", "beside"}
    for name in ("after", "beside"):
        complete(tasks(instance, name)[0])
    state_is_empty()


def complete_all(instance: UUID) -> list[float]:
    # From both ends and the middle, so that no order helps.
    found = tasks(instance)
    half = len(found) // 2
    return [complete(task) for task in found[half:] + found[:half][::-1]]


def parallel_runs(runs: int) -> dict[str, float]:
    """Start, complete one by one, end; gives milliseconds."""
    began = time.perf_counter()
    instance = start(repeated("", COUNTED), runs=runs)
    started = time.perf_counter()
    assert rows("SELECT count(*) FROM processes_task WHERE element_id = 'a'") == [(runs,)]
    took = complete_all(instance)
    assert set(open_tasks(instance)) == {"after", "beside"}
    assert queries.get_instance(instance_id=instance).variables["votes"] == ["yes"] * runs
    assert (count("processes_scope"), count("processes_token")) == (0, 2)
    finish(instance)
    assert queries.get_instance(instance_id=instance).ending == "completed"
    assert count("processes_log WHERE kind = 2 AND element_id = 'a' AND instance_id = %s", instance) == runs
    return {"start": (started - began) * 1000, "complete": median(took[:-1]), "last": took[-1]}


def cancelled_runs(runs: int) -> float:
    """Start and take back at once; gives milliseconds of the cancellation."""
    instance = start(repeated("", COUNTED), runs=runs)
    complete(tasks(instance)[0])
    began = time.perf_counter()
    engine.cancel(instance_id=instance, reason="withdrawn", now=NOW, by=None)
    took = (time.perf_counter() - began) * 1000
    assert queries.get_instance(instance_id=instance).ending == "cancelled"
    assert (
        count("processes_task_closed WHERE ending = 'cancelled' AND element_id = 'a' AND instance_id = %s", instance)
        == runs - 1
    )
    state_is_empty()
    return took


def cut_short(runs: int) -> float:
    """Let the timer on the repeated task end all runs; gives milliseconds."""
    instance = start(repeated("", COUNTED), runs=runs)
    timer = rows("SELECT id FROM processes_timer")[0][0]
    began = time.perf_counter()
    engine.fire_timer(timer_id=timer, now=LATER)
    took = (time.perf_counter() - began) * 1000
    assert count("processes_scope") == 0
    finish(instance)
    return took


def decided_early(runs: int) -> float:
    """Let the completion condition end all runs but one; gives milliseconds."""
    until = COUNTED + '<completionCondition>said = "yes"</completionCondition>'
    instance = start(repeated("", until), runs=runs)
    took = complete(tasks(instance)[runs // 2])
    assert set(open_tasks(instance)) == {"after", "beside"}
    assert queries.get_instance(instance_id=instance).variables["votes"] == ["yes"]
    assert count("processes_scope") == 0
    finish(instance)
    return took


def sequential_runs(runs: int) -> list[float]:
    instance = start(
        repeated('isSequential="true" furong:collection="people" furong:element="person"'),
        people=[f"n{number}" for number in range(runs)],
    )
    took = []
    for number in range(runs):
        if number % 100 == 0:
            rows_known()
        (task,) = tasks(instance)
        took.append(complete(task))
    assert set(open_tasks(instance)) == {"after", "beside"}
    assert queries.get_instance(instance_id=instance).variables["votes"] == ["yes"] * runs
    return took


def automatic_runs(runs: int) -> float:
    """Runs of a sub-process in which nothing waits, all within one step; gives milliseconds."""
    sub = (
        '<subProcess id="sub"><startEvent id="s1"/><scriptTask id="t" furong:result="twice"><script>number * 2</script></scriptTask>'
        '<endEvent id="e1"/><sequenceFlow id="x1" sourceRef="s1" targetRef="t"/><sequenceFlow id="x2" sourceRef="t" targetRef="e1"/>'
        '<multiInstanceLoopCharacteristics furong:collection="numbers" furong:element="number" furong:output_collection="doubled" '
        'furong:output_element="twice"/></subProcess>'
    )
    xml = bpmn(
        f'<startEvent id="s"/>{sub}<userTask id="after"/><endEvent id="e"/>', "s -> sub\nsub -> after\nafter -> e"
    )
    began = time.perf_counter()
    instance = start(xml, numbers=list(range(runs)))
    took = (time.perf_counter() - began) * 1000
    assert queries.get_instance(instance_id=instance).variables["doubled"] == [2 * number for number in range(runs)]
    return took


# --- the tests ----------------------------------------------------------------------------------------------------------------


def test_one_of_a_thousand_runs_ends_as_fast_as_one_of_ten() -> None:
    parallel_runs(10)  # connections and statements are warm
    few, many = parallel_runs(10), parallel_runs(1_000)
    # The machine is shared and one completion is a commit, so this only tells linear from constant.
    assert many["complete"] < 5 * few["complete"], (few, many)


def test_a_step_of_one_run_reads_only_what_lies_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = start(repeated("", COUNTED), runs=200)
    seen: list[tuple[int, int]] = []
    real = engine._resume

    def resume(found: Loaded, now: datetime) -> Resumed:
        seen.append((len(found.tokens), len(found.scopes)))
        return real(found, now)

    monkeypatch.setattr(engine, "_resume", resume)
    for task in tasks(instance)[:5]:
        complete(task)
    # The task beside, the host of all runs and the run's own; the scope of all runs and the run's own.
    assert seen == [(3, 2)] * 5


def test_what_ends_a_thousand_runs_at_once_ends_them_all() -> None:
    cancelled_runs(1_000)
    cut_short(1_000)
    decided_early(1_000)


def test_a_thousand_runs_in_turn() -> None:
    took = sequential_runs(1_000)
    assert median(took[-100:]) < 5 * median(took[10:110])


def test_a_thousand_runs_in_which_nothing_waits_are_one_step() -> None:
    automatic_runs(1_000)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_thousand_runs() -> None:
    parallel_runs(10)
    figures = {f"{runs} runs": parallel_runs(runs) for runs in (10, 1_000, 10_000)}
    figures["10000 at once"] = {
        "cancelled": cancelled_runs(10_000),
        "cut short": cut_short(10_000),
        "decided early": decided_early(10_000),
        "automatic": automatic_runs(10_000),
    }
    print(json.dumps({name: {k: round(v, 2) for k, v in one.items()} for name, one in figures.items()}))  # noqa: T201 - the figures, in milliseconds, for whoever runs it with -s
    assert figures["10000 runs"]["complete"] < 3 * figures["10 runs"]["complete"]
