"""`furong process`: what it prints, what it answers with, and that it needs neither Django nor a database."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from furong.entrypoints import cli
from furong.foundation.access.values import Actor
from furong.foundation.packs import commands as packs
from furong.foundation.packs.errors import PackRefused
from furong.foundation.packs.values import Finding
from tests.domains.processes.diagrams import DEPARTMENTS, SEQUENCE, bpmn
from tests.packs.planting import HUNAN, TINY, Planted, copy_of

CERTIFICATE = HUNAN / "items" / "birth_certificate"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[str], str]:
    """Run a command; give its exit code, its lines and what it complained of."""
    capsys.readouterr()
    code = cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    place = tmp_path / "sequence.bpmn"
    place.write_bytes(SEQUENCE)
    return place


# --- check ------------------------------------------------------------------------------------------------------------------


def test_what_is_wrong_in_several_files_is_printed_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_bytes(bpmn('<startEvent id="s"/>\n<manualTask id="a" name="a"/>\n<endEvent id="e"/>', "s -> a\na -> e"))
    bad.write_bytes(bpmn('<startEvent id="s"/>\n<userTask id="a"/>\n<endEvent id="e"/>', "s -> a\na -> gone\na -> e"))
    code, lines, _ = run(capsys, "process", "check", good, bad)
    assert code == 1
    assert any(line.startswith(f"{bad}:7: a-gone: bpmn.flow_dangling: ") for line in lines)
    warnings = sum(": warning: " in line for line in lines)
    assert lines[-1] == f"{good}, {bad}: {len(lines) - 1 - warnings} errors, {warnings} warnings"
    code, lines, _ = run(capsys, "process", "check", good)
    assert (code, lines) == (0, [f"{good}: in order"])


def test_findings_as_json_lines_are_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.bpmn"
    bad.write_bytes(b"<no/>")
    code, lines, _ = run(capsys, "process", "check", bad, "--json")
    (found,) = map(json.loads, lines)
    assert code == 1
    assert {"file": str(bad), "line": 1, "rule": "bpmn.root", "severity": "error"}.items() <= found.items()
    assert set(found["message"]) == set(found["mend"]) == {"zh", "en"}
    _, lines, _ = run(capsys, "process", "check", bad, "--language", "zh")
    assert "根元素" in lines[0]


def test_decisions_are_looked_for_in_the_files_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = copy_of(TINY, tmp_path)
    process = pack.root / "items/boat_registration/process.bpmn"
    assert run(capsys, "process", "check", process)[0] == 0
    rules = process.with_name("rules.dmn").rename(tmp_path / "rules.dmn")
    code, lines, _ = run(capsys, "process", "check", process)
    assert code == 1
    assert any("furong.decision_unknown" in line for line in lines)
    assert run(capsys, "process", "check", process, "--dmn", rules)[0] == 0


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = run(capsys, "process", "check", "nowhere.bpmn")
    assert (code, lines, err) == (2, [], "furong process: nowhere.bpmn: No such file or directory\n")


# --- run --------------------------------------------------------------------------------------------------------------------


def test_a_run_prints_where_it_waits_and_with_trace_each_event(
    sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, _ = run(capsys, "process", "run", sequence, "--input", '{"n": 1.50}', "--now", "2026-03-02")
    (state,) = map(json.loads, lines)
    assert code == 0
    assert (state["event"], [task["element"] for task in state["tasks"]]) == ("waiting", ["a"])
    code, lines, _ = run(capsys, "process", "run", sequence, "--input", '{"n": 1.50}', "--now", "2026-03-02", "--trace")
    events = [json.loads(line, parse_float=Decimal) for line in lines]
    assert [(one["event"], one.get("element")) for one in events] == [
        ("started", "p"),
        ("passed", "s"),
        ("entered", "a"),
        ("waiting", None),
    ]
    assert events[0]["variables"] == {"n": Decimal("1.50")}
    assert events[2]["at"] == "2026-03-02T00:00:00+08:00"


def test_answers_take_a_process_to_its_end(sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"complete": "a", "variables": {"ok": true}}\n{"complete": "b", "outcome": "approve"}\n')
    code, lines, _ = run(capsys, "process", "run", sequence, "--answers", answers)
    state: dict[str, Any] = json.loads(lines[-1])
    assert (code, state["event"], state["variables"]) == (0, "ended", {"ok": True, "decision": "approve"})
    in_yaml = tmp_path / "answers.yaml"
    in_yaml.write_text("- complete: a\n- complete: b\n  outcome: reject\n- expect: {variables: {decision: reject}}\n")
    code, lines, _ = run(capsys, "process", "run", sequence, "--answers", in_yaml)
    assert (code, json.loads(lines[-1])["variables"]) == (0, {"decision": "reject"})


def test_a_wrong_answer_is_one_line_with_its_number(
    sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"complete": "a"}\n\n{"complete": "a"}\n')
    code, lines, err = run(capsys, "process", "run", sequence, "--answers", answers)
    assert code == 1
    assert err == f"{answers}:3: scenario.step: There is no open task at a; there are: b.\n"
    assert json.loads(lines[-1])["tasks"][0]["element"] == "b"
    answers.write_text('{"complete": "a"}\n{"expect": {"waiting": ["c"]}}\n')
    code, _, err = run(capsys, "process", "run", sequence, "--answers", answers)
    assert (code, err) == (
        1,
        f"{answers}:2: scenario.expectation: The waiting elements should be c and are b.\n",
    )
    answers.write_text('{"complete": "a"}\n{"finish": "b"}\n')
    code, lines, err = run(capsys, "process", "run", sequence, "--answers", answers)
    assert (code, lines) == (1, [])
    assert err.startswith(f"furong process: {answers}:2: A step has one of complete, ")


def test_what_is_stuck_and_nobody_expected_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process, answers = tmp_path / "departments.bpmn", tmp_path / "answers.jsonl"
    process.write_bytes(DEPARTMENTS)
    answers.write_text("".join(f'{{"complete": "t{n}"}}\n' for n in range(1, 5)))
    code, lines, err = run(capsys, "process", "run", process, "--answers", answers)
    assert code == 1
    assert "choice is stuck: condition_not_boolean" in err
    assert [one["element"] for one in json.loads(lines[-1])["incidents"]] == ["choice"]


def test_input_comes_from_a_file_or_from_standard_input(
    sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "input.json"
    given.write_text('{"name": "甲"}')
    _, lines, _ = run(capsys, "process", "run", sequence, "--input", f"@{given}", "--trace")
    assert json.loads(lines[0])["variables"] == {"name": "甲"}
    assert "甲" in lines[0]
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"name": "乙"}'))
    _, lines, _ = run(capsys, "process", "run", sequence, "--input", "-", "--trace")
    assert json.loads(lines[0])["variables"] == {"name": "乙"}


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--input", "{"], "--input is not JSON"),
        (["--input", "[]"], "--input is not a JSON object"),
        (["--now", "soon"], "--now: "),
        (["--time-zone", "Nowhere/None"], "Nowhere/None is no time zone"),
        (["--scenario", "granted"], "--scenario names one of a YAML file"),
        (["--answers", "nowhere.jsonl"], "nowhere.jsonl: No such file"),
    ],
)
def test_misuse_is_one_line_and_two(
    sequence: Path, capsys: pytest.CaptureFixture[str], words: list[str], wrong: str
) -> None:
    code, lines, err = run(capsys, "process", "run", sequence, *words)
    assert (code, lines) == (2, [])
    assert wrong in err
    assert err.count("\n") == 1


def test_a_file_with_findings_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.bpmn"
    bad.write_bytes(b"<no/>")
    code, lines, err = run(capsys, "process", "run", bad)
    assert (code, lines) == (1, [])
    assert err.startswith(f"{bad}:1: ")


def test_of_several_processes_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = tmp_path / "two.bpmn"
    both = (
        SEQUENCE.decode().replace("</definitions>", "")
        + bpmn('<startEvent id="s9"/>\n<userTask id="a9"/>\n<endEvent id="e9"/>', "s9 -> a9\na9 -> e9", code="q")
        .decode()
        .partition("\n")[2]
    )
    two.write_text(both)
    code, _, err = run(capsys, "process", "run", two)
    assert code == 1
    assert "Several processes can begin: p, q; name one." in err
    code, lines, _ = run(capsys, "process", "run", two, "--process", "q")
    assert (code, json.loads(lines[-1])["tasks"][0]["element"]) == (0, "a9")


def test_a_scenario_of_a_pack_is_played_with_its_calendar_and_rules(capsys: pytest.CaptureFixture[str]) -> None:
    household = HUNAN / "items" / "household_registration"
    words = ("process", "run", household / "process.bpmn", "--answers", household / "scenarios.yaml", "--scenario")
    code, lines, err = run(capsys, *words, "consent_late_and_answered", "--trace")
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in lines]
    assert next(one["at"] for one in events if one.get("element") == "consent_late") == "2026-03-13T00:00:00+08:00"
    assert events[-1]["variables"]["household"]["late"] is True
    code, _, err = run(capsys, *words, "nobody")
    assert code == 2
    assert "has no scenario nobody; there are: granted, " in err


def test_the_command_needs_no_django(sequence: Path) -> None:
    program = (
        "import sys; from furong.entrypoints import cli; "
        f"code = cli.main(['process', 'run', {str(sequence)!r}]); "
        "sys.exit(code or ('django' in sys.modules) * 7 or ('psycopg' in sys.modules) * 8)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- packs ------------------------------------------------------------------------------------------------------------------


def of_scenarios(pack: Planted) -> list[Finding]:
    """Check a pack; give what is said of its scenarios, or of what they reach."""
    return [one for one in pack.check() if one.rule.startswith("scenario.") or one.file.endswith("scenarios.yaml")]


def test_the_check_of_a_pack_plays_its_scenarios(tmp_path: Path) -> None:
    pack = copy_of(TINY, tmp_path)
    assert of_scenarios(pack) == []
    line = pack.replace("items/boat_registration/scenarios.yaml", '{class: "rowing boat"}', "{class: raft}")
    (found,) = of_scenarios(pack)
    assert (found.line, found.element, found.rule) == (line, "granted", "scenario.expectation")
    assert found.message.pick("en") == 'class should be "raft" and is "rowing boat".'


def test_a_rule_that_changes_fails_the_scenario_that_counts_on_it(tmp_path: Path) -> None:
    pack = copy_of(TINY, tmp_path)
    pack.replace("items/boat_registration/rules.dmn", "&lt; 5", "&lt; 3")
    assert [(rule, element) for _, _, element, rule in pack.errors()] == [("scenario.expectation", "granted")]


@pytest.mark.usefixtures("database")
def test_a_folder_that_breaks_its_scenarios_is_not_loaded_and_the_workbench_may_change_one_file_after_the_other(
    tmp_path: Path,
) -> None:
    pack = copy_of(TINY, tmp_path)
    now, editor = datetime(2026, 11, 20, 2, tzinfo=UTC), Actor.system("tests")
    packs.import_pack(path=pack.root, actor=editor, now=now)
    rules = (pack.root / "items/boat_registration/rules.dmn").read_bytes().replace(b"&lt; 5", b"&lt; 3")
    packs.publish_definition(
        kind="decision", code="boat_registration", content=rules, in_force_from=now.date(), actor=editor, now=now
    )
    pack.replace("items/boat_registration/rules.dmn", "&lt; 5", "&lt; 3")
    with pytest.raises(PackRefused) as refused:
        packs.import_pack(path=pack.root, actor=editor, now=now)
    assert [one.rule for one in refused.value.findings if one.is_error] == ["scenario.expectation"]


def test_what_no_scenario_reaches_and_a_process_without_scenarios_are_named(tmp_path: Path) -> None:
    pack = copy_of(TINY, tmp_path)
    scenarios = pack.root / "items/boat_registration/scenarios.yaml"
    text = scenarios.read_text()
    scenarios.write_text(text[: text.index("      - complete: decision")])
    (found,) = of_scenarios(pack)
    assert (found.rule, found.is_error) == ("scenario.unreached", False)
    assert found.message.pick("en") == "No scenario reaches output, end."
    scenarios.unlink()
    (found,) = of_scenarios(pack)
    assert (found.rule, found.element, found.is_error) == ("scenario.none", "boat_registration", False)


def test_a_scenario_gives_no_more_than_the_department_sees_and_expects_something(tmp_path: Path) -> None:
    pack = copy_of(TINY, tmp_path)
    pack.replace(
        "items/mooring_permit/scenarios.yaml", "boat: {number: B-Seagull}", "boat: {number: B-Seagull, colour: red}"
    )
    pack.replace(
        "items/mooring_permit/scenarios.yaml", "      - expect: {ended: cancelled, not_reached: [output]}\n", ""
    )
    found = of_scenarios(pack)
    assert {(one.rule, one.element) for one in found} == {
        ("process.element_unknown", "boat.colour"),
        ("scenario.expects_nothing", "withdrawn"),
    }


def test_a_file_of_scenarios_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    pack = copy_of(TINY, tmp_path)
    line = pack.replace("items/mooring_permit/scenarios.yaml", "- service: output", "- serve: output")
    assert [(one[1], one[3]) for one in pack.errors()] == [(line, "scenario.form")]


def test_scenarios_of_a_process_that_is_wrong_itself_are_not_played(tmp_path: Path) -> None:
    pack = copy_of(TINY, tmp_path)
    pack.replace("items/boat_registration/process.bpmn", 'targetRef="decision"', 'targetRef="gone"')
    assert {rule.partition(".")[0] for _, _, _, rule in pack.errors()} == {"bpmn"}
    assert of_scenarios(pack) == []


@pytest.mark.parametrize("item", sorted(one.parent.name for one in (HUNAN / "items").glob("*/item.yaml")))
def test_each_item_of_the_pack_has_the_stories_that_matter(item: str) -> None:
    from furong.domains.processes.values.steps import read_scenarios
    from furong.foundation.packs.values.source import parse_yaml
    from tests.domains.processes.conftest import CALENDAR

    content = (HUNAN / "items" / item / "scenarios.yaml").read_bytes()
    names = {one.name for one in read_scenarios(parse_yaml(content, file=item), zone=CALENDAR.tz).scenarios}
    assert names >= {"granted", "rejected", "nobody_accepts"}
