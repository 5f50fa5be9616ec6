"""A process run in memory: people, services, messages and the clock come from data, and the log is that of the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from furong.domains.processes.bundles import read_bundle
from furong.domains.processes.deciding import Decisions
from furong.domains.processes.rehearsal import Rehearsal, RehearsalError
from furong.domains.processes.rehearsed import ServiceAnswer
from furong.domains.processes.scenarios import StepError, play, play_scenario
from furong.domains.processes.values import parse_bpmn
from furong.domains.processes.values.steps import read_json_lines, read_scenarios
from furong.foundation.packs.values.source import parse_yaml
from tests.domains.processes.conftest import CALENDAR
from tests.domains.processes.diagrams import DEPARTMENTS, SEQUENCE, bpmn
from tests.domains.processes.support import NOW

ENDS = '<startEvent id="s"/>\n<endEvent id="e"/>'
Said = dict[str, object]


def rehearse(xml: bytes, *, told: list[Said] | None = None, **variables: object) -> Rehearsal:
    """Start the only process of a file in memory."""
    report = None if told is None else told.append
    rehearsal = Rehearsal([parse_bpmn(xml)], now=NOW, calendar=CALENDAR, report=report)
    rehearsal.start(variables, business_key="case-1")
    return rehearsal


def waiting(rehearsal: Rehearsal) -> list[str]:
    return [name for instance in rehearsal.instances for name in instance.waiting()]


def steps(rehearsal: Rehearsal, *lines: str) -> None:
    play(rehearsal, read_json_lines("\n".join(lines)))


# --- what is told -----------------------------------------------------------------------------------------------------------


def test_each_event_is_told_with_the_variables_that_it_changed() -> None:
    told: list[Said] = []
    rehearsal = rehearse(SEQUENCE, told=told, amount=Decimal("1.50"))
    rehearsal.complete("a", variables={"checked": True})
    rehearsal.complete("b", outcome="approve")
    at = "2026-03-02T09:00:00+08:00"
    assert told == [
        {"event": "started", "element": "p", "at": at, "variables": {"amount": Decimal("1.50")}},
        {"event": "passed", "element": "s", "token": 1, "at": at},
        {"event": "entered", "element": "a", "token": 1, "at": at, "arrived_by": "s-a"},
        {
            "event": "completed",
            "element": "a",
            "token": 1,
            "at": at,
            "arrived_by": "s-a",
            "variables": {"checked": True},
        },
        {"event": "entered", "element": "b", "token": 1, "at": at, "arrived_by": "a-b"},
        {
            "event": "completed",
            "element": "b",
            "token": 1,
            "at": at,
            "arrived_by": "a-b",
            "variables": {"decision": "approve"},
        },
        {"event": "passed", "element": "e", "token": 1, "at": at, "arrived_by": "b-e"},
        {"event": "ended", "element": "p", "at": at},
    ]
    variables = {"amount": Decimal("1.50"), "checked": True, "decision": "approve"}
    assert rehearsal.state() == {"event": "ended", "ending": "completed", "at": at, "variables": variables}


def test_what_a_script_gives_is_told_where_it_ran_and_nowhere_else() -> None:
    told: list[Said] = []
    xml = bpmn(
        ENDS + '\n<scriptTask id="x" furong:result="n"><script>1</script></scriptTask>\n<userTask id="a"/>',
        "s -> x\nx -> a\na -> e",
    )
    rehearse(xml, told=told)
    assert [one["variables"] for one in told if "variables" in one] == [{"n": 1}]


def test_the_state_lists_tasks_timers_messages_and_jobs() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    state = rehearsal.state()
    assert state["event"] == "waiting"
    assert state["tasks"] == [
        {
            "element": "task",
            "token": 1,
            "name": "",
            "kind": "review",
            "department": "police",
            "outcomes": ["yes", "no"],
            "due_at": "2026-03-05T00:00:00+08:00",
        }
    ]
    assert state["timers"] == [
        {"element": "late", "token": 1, "due_at": "2026-03-02T12:00:00+08:00", "escalates": False}
    ]
    assert state["messages"] == [{"element": "letter", "token": 2, "message": "letter", "correlation": "K7"}]
    assert state["jobs"] == [{"element": "work", "token": 3, "handler": "test.work", "input": {"key": "K7"}}]
    assert waiting(rehearsal) == ["letter", "task", "work"]


def after(duration: str) -> bytes:
    """Give a timer of a duration as it stands inside an event."""
    return f"<timerEventDefinition><timeDuration>{duration}</timeDuration></timerEventDefinition>".encode()


EVERYTHING = bpmn(
    """
    <startEvent id="s"/>
    <parallelGateway id="f"/>
    <userTask id="task" furong:kind="review" furong:department="police" furong:outcomes="yes no" furong:result="answer"
 furong:due="P2D"/>
    <boundaryEvent id="late" attachedToRef="task" cancelActivity="false">AFTER_THREE_HOURS</boundaryEvent>
    <userTask id="remind"/>
    <receiveTask id="letter" messageRef="m" furong:correlation="=key" furong:result="letter"/>
    <serviceTask id="work" furong:handler="test.work" furong:retries="1" furong:backoff="PT1M" furong:result="worked"/>
    <boundaryEvent id="wrong" attachedToRef="work"><errorEventDefinition errorRef="wrong_code"/></boundaryEvent>
    <userTask id="mend"/>
    <parallelGateway id="j"/>
    <endEvent id="e"/>
    <endEvent id="e2"/>
    <exclusiveGateway id="x"/>
    """,
    "s -> f\nf -> task\nf -> letter\nf -> work\nlate -> remind\nremind -> e2\nwrong -> mend\nmend -> x\nwork -> x\nx -> j\n"
    "task -> j\nletter -> j\nj -> e",
    more='<message id="m" name="letter"/><error id="wrong_code" errorCode="wrong"/>',
).replace(b"AFTER_THREE_HOURS", after("PT3H"))


REPEATED = bpmn(
    """
    <startEvent id="s"/>
    <userTask id="t" furong:result="answer"><multiInstanceLoopCharacteristics furong:collection="=people"
 furong:element="person" furong:output_collection="answers" furong:output_element="=answer"/></userTask>
    <serviceTask id="w" furong:handler="h"><multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>2\
</loopCardinality></multiInstanceLoopCharacteristics></serviceTask>
    <endEvent id="e"/>
    """,
    "s -> t\nt -> w\nw -> e",
)


def test_each_run_of_a_repeated_activity_is_told_with_its_own_variables_and_answered_by_them() -> None:
    told: list[Said] = []
    rehearsal = rehearse(REPEATED, told=told, people=["x", "y"])
    assert [one.get("variables") for one in told if one["event"] == "entered"] == [
        {"loopCounter": 1, "person": "x"},
        {"loopCounter": 2, "person": "y"},
    ]
    steps(
        rehearsal,
        '{"complete": "t", "where": {"person": "y"}, "variables": {"answer": "no"}}',
        '{"complete": "t", "variables": {"answer": "yes"}}',
        '{"service": "w", "where": {"loopCounter": 1}}',
        '{"service": "w"}',
        '{"expect": {"ended": "completed", "variables": {"answers": ["yes", "no"]}}}',
    )
    with pytest.raises(StepError, match="There is no open task at t"):
        steps(rehearse(REPEATED, people=["x"]), '{"complete": "t", "where": {"person": "z"}}')


# --- what the outside world does --------------------------------------------------------------------------------------------


def test_timers_fire_in_the_order_of_their_time_and_those_armed_meanwhile_too() -> None:
    def timer(name: str, duration: str) -> str:
        return f'<intermediateCatchEvent id="{name}">{after(duration).decode()}</intermediateCatchEvent>'

    xml = bpmn(
        "\n".join(
            [
                ENDS,
                '<parallelGateway id="f"/>',
                timer("slow", "PT5H"),
                timer("quick", "PT1H"),
                timer("again", "PT2H"),
                '<parallelGateway id="j"/>',
            ]
        ),
        "s -> f\nf -> slow\nf -> quick\nquick -> again\nagain -> j\nslow -> j\nj -> e",
    )
    told: list[Said] = []
    rehearsal = rehearse(xml, told=told)
    steps(rehearsal, '{"advance": "PT4H59M"}')
    assert waiting(rehearsal) == ["slow"]
    assert rehearsal.now == NOW + timedelta(hours=4, minutes=59)
    steps(rehearsal, '{"advance_to": "2026-03-03"}', '{"expect": {"ended": "completed"}}')
    done = [(one["element"], one["at"]) for one in told if one["event"] == "completed"]
    assert done == [
        ("quick", "2026-03-02T10:00:00+08:00"),
        ("again", "2026-03-02T12:00:00+08:00"),
        ("slow", "2026-03-02T14:00:00+08:00"),
    ]


def test_a_cycle_fires_as_often_as_it_says_and_working_days_skip_holidays() -> None:
    cycle = b"<timeCycle>R3/PT1H</timeCycle>"
    xml = EVERYTHING.replace(b"<timeDuration>PT3H</timeDuration>", cycle)
    rehearsal = rehearse(xml, key="K7")
    steps(rehearsal, '{"advance": "P3D"}')
    assert waiting(rehearsal).count("remind") == 3
    early = Rehearsal([parse_bpmn(EVERYTHING)], now=datetime(2026, 2, 13, 1, tzinfo=UTC), calendar=CALENDAR)
    early.start({"key": "K7"})
    steps(early, '{"expect": {"due": {"task": "2026-02-24"}}}', '{"advance": "P2D", "calendar": "working"}')
    assert early.now == datetime(2026, 2, 24, 16, tzinfo=UTC)


def test_the_clock_does_not_go_back_and_a_timer_that_does_not_interrupt_leaves_its_task_open() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    steps(rehearsal, '{"advance": "PT3H"}', '{"expect": {"waiting": ["letter", "remind", "task", "work"]}}')
    with pytest.raises(StepError, match="cannot go back"):
        steps(rehearsal, '{"advance_to": "2026-03-02T09:00:00+08:00"}')


def test_a_task_that_nobody_answers_is_marked() -> None:
    xml = bpmn(ENDS + '\n<userTask id="a" furong:escalate_after="P2D"/>', "s -> a\na -> e")
    rehearsal = rehearse(xml)
    steps(rehearsal, '{"expect": {"escalated": []}}', '{"advance": "P3D"}', '{"expect": {"escalated": ["a"]}}')
    assert waiting(rehearsal) == ["a"]


def test_a_message_goes_to_the_one_whose_key_it_carries() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    with pytest.raises(StepError, match=r"Nothing waits for the message letter \(K8\)") as caught:
        steps(rehearsal, '{"advance": "PT1H"}', '{"message": "letter", "correlation": "K8"}')
    assert caught.value.line == 2
    steps(rehearsal, '{"message": "letter", "correlation": "K7", "payload": {"text": "x"}}')
    assert rehearsal.main.variables["letter"] == {"text": "x"}


def test_a_service_that_breaks_is_tried_again_after_a_pause_and_then_is_an_incident() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    steps(rehearsal, '{"service": "work", "fault": "timeout"}')
    with pytest.raises(StepError, match="is tried again at 2026-03-02T09:01:00"):
        steps(rehearsal, '{"service": "work"}')
    steps(
        rehearsal,
        '{"advance": "PT1M"}',
        '{"expect": {"incidents": []}}',
        '{"service": "work", "fault": "timeout"}',
        '{"expect": {"incidents": ["work"]}}',
        '{"retry": "work"}',
        '{"service": "work", "variables": {"n": 1}}',
        '{"expect": {"incidents": [], "variables": {"worked": {"n": 1}}}}',
    )


def test_a_business_error_goes_to_its_boundary_event_and_another_is_an_incident_that_may_be_skipped() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    steps(rehearsal, '{"service": "work", "error": "wrong"}', '{"expect": {"waiting": ["letter", "mend", "task"]}}')
    other = rehearse(EVERYTHING, key="K7")
    steps(
        other,
        '{"service": "work", "error": "unknown"}',
        '{"expect": {"incidents": ["work"]}}',
        '{"skip": "work", "variables": {"worked": 0}}',
        '{"expect": {"waiting": ["letter", "task"], "variables": {"worked": 0}}}',
    )


def test_an_element_that_is_stuck_is_tried_again_once_its_cause_is_mended() -> None:
    rehearsal = rehearse(DEPARTMENTS)
    for task in ("t1", "t2", "t3", "t4"):
        rehearsal.complete(task)
    steps(rehearsal, '{"expect": {"incidents": ["choice"], "waiting": ["choice"]}}')
    rehearsal.main.variables["score"] = 60
    steps(rehearsal, '{"retry": "choice"}', '{"expect": {"waiting": ["approve"], "incidents": []}}')


def test_a_service_may_always_answer_the_same() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    rehearsal.answer_always("work", ServiceAnswer(variables={"n": 2}))
    assert rehearsal.main.variables["worked"] == {"n": 2}
    with pytest.raises(RehearsalError, match="The process has no element nobody"):
        rehearsal.answer_always("nobody", None)


def test_a_withdrawn_process_is_cancelled() -> None:
    rehearsal = rehearse(EVERYTHING, key="K7")
    steps(rehearsal, '{"cancel": "withdrawn"}', '{"expect": {"ended": "cancelled", "waiting": []}}')
    with pytest.raises(StepError, match="The process is over"):
        steps(rehearsal, '{"cancel": "again"}')


POOLS = (
    bpmn(
        """
    <startEvent id="s"/>
    <sendTask id="ask" messageRef="m_ask" furong:input="{question: question}"/>
    <receiveTask id="hear" messageRef="m_answer" furong:result="heard"/>
    <endEvent id="e"/>
    """,
        "s -> ask\nask -> hear\nhear -> e",
        code="citizen",
        more='<message id="m_ask" name="ask"/><message id="m_answer" name="answer"/>',
    )
    .decode()
    .replace("</definitions>", "")
    + bpmn(
        """
    <startEvent id="asked"><messageEventDefinition messageRef="m_ask"/></startEvent>
    <userTask id="think"/>
    <endEvent id="told" furong:input="{text: text}"><messageEventDefinition messageRef="m_answer"/></endEvent>
    """,
        "asked -> think\nthink -> told",
        code="office",
    )
    .decode()
    .partition("\n")[2]
).encode()


def test_pools_of_one_file_send_each_other_messages() -> None:
    bundle = read_bundle(POOLS, file="pools.bpmn", resources={})
    assert [one.format() for one in bundle.findings if one.is_error] == []
    told: list[Said] = []
    rehearsal = Rehearsal(bundle.definitions, now=NOW, calendar=CALENDAR, report=told.append)
    rehearsal.start({"question": "why"}, code="citizen", business_key="Q1")
    assert [(one.definition.code, one.business_key, one.ending) for one in rehearsal.instances] == [
        ("citizen", "Q1", ""),
        ("office", "Q1", ""),
    ]
    assert rehearsal.instances[1].variables == {"question": "why"}
    rehearsal.complete("think", variables={"text": "because"})
    assert rehearsal.is_over
    assert rehearsal.main.variables["heard"] == {"text": "because"}
    assert [one["message"] for one in told if one["event"] == "sent"] == ["ask", "answer"]
    assert {one["process"] for one in told} == {"citizen", "office"}


def test_a_message_that_nobody_takes_is_tried_again_and_delivered_once_somebody_waits() -> None:
    xml = bpmn(
        """
    <startEvent id="s"/>
    <parallelGateway id="f"/>
    <intermediateThrowEvent id="throw"><messageEventDefinition messageRef="m"/></intermediateThrowEvent>
    <endEvent id="e"/>
    <userTask id="a"/>
    <receiveTask id="hear" messageRef="m"/>
    <endEvent id="e2"/>
    """,
        "s -> f\nf -> throw\nthrow -> e\nf -> a\na -> hear\nhear -> e2",
        more='<message id="m" name="m"/>',
    )
    rehearsal = rehearse(xml)
    steps(rehearsal, '{"expect": {"sent": ["m"], "waiting": ["a"]}}', '{"advance": "PT31S"}', '{"complete": "a"}')
    assert waiting(rehearsal) == ["hear"]
    steps(rehearsal, '{"advance": "PT1M"}', '{"expect": {"ended": "completed"}}')
    late = rehearse(xml)
    steps(late, '{"advance": "P1D"}', '{"expect": {"incidents": ["throw"]}}', '{"skip": "throw"}')
    steps(late, '{"expect": {"incidents": [], "waiting": ["a"]}}')


def test_a_message_to_somebody_outside_is_answered_like_a_service() -> None:
    citizen = next(one for one in read_bundle(POOLS, file="p.bpmn", resources={}).definitions if one.code == "citizen")
    rehearsal = Rehearsal([citizen], now=NOW, calendar=CALENDAR)
    rehearsal.start({"question": "why"}, business_key="Q1")
    steps(
        rehearsal,
        '{"expect": {"waiting": ["ask"], "sent": ["ask"]}}',
        '{"service": "ask"}',
        '{"message": "answer", "payload": {"text": "because"}}',
        '{"expect": {"ended": "completed", "variables": {"heard": {"text": "because"}}}}',
    )


def test_decisions_are_those_of_the_files_beside() -> None:
    dmn = (
        b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">'
        b'<inputData id="n" name="n"><variable name="n"/></inputData>'
        b'<decision id="double" name="double"><variable name="double"/>'
        b'<informationRequirement><requiredInput href="#n"/></informationRequirement>'
        b"<literalExpression><text>n * 2</text></literalExpression></decision></definitions>"
    )
    xml = bpmn(
        ENDS + '\n<businessRuleTask id="rule" furong:decision="rules#double" furong:result="m"/>',
        "s -> rule\nrule -> e",
    )
    bundle = read_bundle(xml, file="p.bpmn", resources={"rules": dmn})
    rehearsal = Rehearsal(bundle.definitions, now=NOW, calendar=CALENDAR, decisions=bundle.decisions)
    rehearsal.start({"n": Decimal("1.25")})
    assert rehearsal.main.variables["m"] == Decimal("2.50")
    without = Rehearsal(bundle.definitions, now=NOW, calendar=CALENDAR)
    without.start({"n": 1})
    assert [job.reason for _, job in without.incidents()] == ["decision_missing"]
    missing = read_bundle(xml, file="p.bpmn", resources={})
    assert [(one.rule, one.line) for one in missing.findings] == [("furong.decision_unknown", 5)]
    broken = read_bundle(xml, file="p.bpmn", resources={"rules": b"<x/>"}, shown={"rules": "folder/rules.dmn"})
    assert {one.file for one in broken.findings} == {"folder/rules.dmn"}


def test_an_answer_that_does_not_fit_says_what_is_there() -> None:
    rehearsal = rehearse(SEQUENCE)
    with pytest.raises(StepError, match="There is no open task at b; there are: a"):
        steps(rehearsal, '{"complete": "b", "outcome": "approve"}')
    rehearsal.complete("a")
    with pytest.raises(StepError, match="cannot end with perhaps; it may end with: approve, reject"):
        steps(rehearsal, '{"complete": "b", "outcome": "perhaps"}')
    with pytest.raises(StepError, match="There is no open call of a service at b"):
        steps(rehearsal, '{"service": "b"}')
    assert waiting(rehearsal) == ["b"]


# --- expectations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        ('{"waiting": ["b"]}', "The waiting elements should be b and are a."),
        ('{"waiting": []}', "The waiting elements should be – and are a."),
        ('{"variables": {"n": 2}}', "n should be 2 and is 1."),
        ('{"variables": {"n": true}}', "n should be true and is 1."),
        ('{"variables": {"deep": {"list": [1, 3]}}}', "deep.list.2 should be 3 and is 2."),
        ('{"variables": {"deep": {"list": [1]}}}', "deep.list should be [1] and is [1,2]."),
        ('{"ended": "completed"}', "The process should be completed and is running (waits: a)."),
        ('{"reached": ["b"]}', "b was not reached."),
        ('{"not_reached": ["a"]}', "a was reached."),
        ('{"incidents": ["a"]}', "The incidents should be a and are –."),
        ('{"given": {"a": {}}}', "The service a was not called."),
        ('{"due": {"a": "2026-03-04"}}', "a should be due 2026-03-04 and is –."),
        ('{"sent": ["x"]}', "The messages sent should be x and are –."),
    ],
)
def test_an_expectation_that_fails_says_what_came_instead(expected: str, came: str) -> None:
    rehearsal = rehearse(SEQUENCE, n=1, deep={"list": [1, 2], "more": 1})
    with pytest.raises(StepError) as caught:
        steps(rehearsal, "", f'{{"expect": {expected}}}')
    assert caught.value.line == 2
    assert caught.value.rule == "scenario.expectation"
    assert str(caught.value) == came


def test_what_holds_is_not_complained_of() -> None:
    rehearsal = rehearse(SEQUENCE, n=Decimal("1.0"), deep={"list": [1, 2], "more": 1})
    steps(
        rehearsal,
        '{"expect": {"waiting": ["a"], "ended": false, "reached": ["s", "a"], "not_reached": ["b"], "incidents": []}}',
        '{"expect": {"variables": {"n": 1, "deep": {"list": [1, 2]}, "nothing": null}}}',
    )


# --- scenarios --------------------------------------------------------------------------------------------------------------

SCENARIOS = """\
code: p
now: 2026-03-02
input:
  person: {name: "01", age: 30}
scenarios:
  - name: granted
    input:
      person: {age: 31.50}
    steps:
      - complete: a
      - complete: b
        outcome: approve
      - expect: {ended: completed, variables: {decision: approve, person: {name: "01", age: 31.5}}}
  - name: fails
    steps:
      - complete: a
      - expect: {variables: {decision: approve}}
      - complete: nothing
"""


def test_scenarios_begin_with_what_the_file_says_and_their_own_over_it() -> None:
    file = read_scenarios(parse_yaml(SCENARIOS.encode(), file="s.yaml"), zone=CALENDAR.tz)
    definition = parse_bpmn(SEQUENCE)
    granted, fails = (
        play_scenario(one, definitions=[definition], calendar=CALENDAR, now=NOW, decisions=Decisions({}))
        for one in file.scenarios
    )
    assert granted.problem is None
    assert granted.reached == {"s", "a", "b", "e"}
    assert fails.problem is not None
    assert (fails.problem.line, fails.problem.rule) == (17, "scenario.expectation")
    assert fails.problem.text.as_dict() == {
        "zh": 'decision 应为 "approve"，实为 null。',
        "en": 'decision should be "approve" and is null.',
    }


def test_what_is_stuck_at_the_end_and_not_expected_fails_a_scenario() -> None:
    text = "code: p\nscenarios:\n  - name: one\n    steps:\n" + "".join(f"      - complete: t{n}\n" for n in "1234")
    file = read_scenarios(parse_yaml(text.encode(), file="s.yaml"), zone=CALENDAR.tz)
    definition = parse_bpmn(DEPARTMENTS)
    played = play_scenario(
        file.scenarios[0], definitions=[definition], calendar=CALENDAR, now=NOW, decisions=Decisions({})
    )
    assert played.problem is not None
    assert played.problem.rule == "scenario.incident"
    assert "choice is stuck: condition_not_boolean" in str(played.problem)
