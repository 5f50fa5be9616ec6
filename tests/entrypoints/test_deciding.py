"""`furong decide`: what it prints, where it reads, how it ends. No database, no Django."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from furong.entrypoints import cli
from tests.domains.decisions.test_graphs import service
from tests.domains.decisions.test_values import decision, definitions, inputs, literal, requires, table

TYPES = """<itemDefinition name="tStay"><itemComponent name="from"><typeRef>date</typeRef></itemComponent>
<itemComponent name="to"><typeRef>date</typeRef></itemComponent></itemDefinition>"""
BODY = (
    TYPES
    + inputs(stay="tStay", price="number")
    + decision(literal("stay.to - stay.from"), name="length of stay", needs=requires("stay"))
    + decision(literal("price * 3"), name="cost", needs=requires("price"))
    + decision(literal('price + "x"'), name="wrong", needs=requires("price"))
    + decision(literal("1 +"), name="broken")
    + service("both", ("cost", "length of stay"), data=("stay", "price"))
)
STAY = '{"stay": {"from": "2026-02-27", "to": "2026-03-02"}, "price": 0.1}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stay.dmn"
    path.write_bytes(definitions(BODY))
    return path


def told(capfd: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = cli.main(["decide", *map(str, words)])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_decision_is_printed_by_its_name_exactly(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert told(capfd, file, "--decision", "cost", "--input", STAY) == (0, '{"cost": 0.3}\n', "")
    code, out, _ = told(capfd, file, "--decision", "length of stay", "--input", STAY)
    assert (code, json.loads(out)) == (0, {"length of stay": "P3D"})


def test_a_service_prints_its_output_decisions(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capfd, file, "--decision", "both", "--input", STAY)
    assert (code, out) == (0, '{"cost": 0.3, "length of stay": "P3D"}\n')


def test_without_a_name_every_decision_is_printed_and_errors_are_named(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(capfd, file, "--input", STAY)
    assert code == 1
    assert json.loads(out) == {"length of stay": "P3D", "cost": 0.3, "wrong": None, "broken": None}
    assert "feel.type: " in err
    assert "(wrong, line " in err
    assert "decisions.feel: " in err
    assert "Traceback" not in err


def test_an_input_of_a_wrong_type_or_none_is_null_with_a_named_error(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for given in ('{"price": "0.1"}', "{}"):
        code, out, err = told(capfd, file, "--decision", "cost", "--input", given)
        assert (code, out) == (1, '{"cost": null}\n')
        assert "decisions.input_" in err
        assert "0.1" not in err


def test_the_input_comes_from_a_file_or_the_standard_input(
    file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = file.with_name("in.json")
    beside.write_text(STAY)
    assert told(capfd, file, "--decision", "cost", "--input", f"@{beside}")[1] == '{"cost": 0.3}\n'
    monkeypatch.setattr(sys, "stdin", io.StringIO(STAY))
    assert told(capfd, file, "--decision", "cost", "--input", "-")[1] == '{"cost": 0.3}\n'


def test_the_clock_may_be_given(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "now.dmn"
    path.write_bytes(definitions(decision(literal("today()"))))
    assert told(capfd, path, "--now", "2026-07-01T09:00:00+08:00") == (0, '{"d": "2026-07-01"}\n', "")
    assert told(capfd, path, "--now", "soon")[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["stay.dmn", "--input", "{"],
        ["stay.dmn", "--input", "[1]"],
        ["stay.dmn", "--input", '{"price": NaN}'],
        ["stay.dmn", "--input", "@nowhere.json"],
        ["--cases", "cases.jsonl", "--decision", "cost"],
        ["--cases", "nowhere.jsonl"],
    ],
)
def test_a_misused_command_ends_with_2_and_says_why(
    words: list[str], file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    code, out, err = told(capfd, *words)
    assert (code, out) == (2, "")
    assert err.startswith("furong decide: ")


def test_a_file_that_is_no_dmn_is_told_with_file_line_element_rule_and_mend(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.dmn"
    bad.write_bytes(definitions(decision(literal("1"), needs=requires("nobody"))))
    code, out, err = told(capfd, bad)
    assert (code, out) == (1, "")
    assert err.startswith("bad.dmn:")
    assert "decisions.requirement: " in err
    assert "Point to the id" in err
    bad.write_bytes(b'<!DOCTYPE d [<!ENTITY a "aaaa">]><d>&a;</d>')
    assert "decisions.doctype" in told(capfd, bad)[2]
    code, out, err = told(capfd, tmp_path / "nowhere.dmn")
    assert (code, out) == (1, "")
    assert "decisions.file" in err
    code, _, err = told(capfd, bad.with_name("bad.dmn"), "--decision", "x")
    assert code == 1


def test_a_decision_that_is_not_there_is_told_with_those_that_are(
    file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, err = told(capfd, file, "--decision", "nope")
    assert (code, out) == (1, "")
    assert "length of stay" in err


def test_every_case_has_its_line_and_a_broken_one_ends_nothing(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cases = [
        f'{{"file": "stay.dmn", "decision": "cost", "input": {STAY}}}',
        "no json",
        "",
        '{"file": "stay.dmn", "decision": "nope"}',
        '{"file": "gone.dmn", "decision": "cost"}',
        '{"file": "stay.dmn", "decision": 7}',
        '{"decision": "cost"}',
        '{"file": "stay.dmn", "decision": "wrong", "input": {"price": 1}}',
        '{"file": "stay.dmn", "input": []}',
        '["file"]',
        '{"file": "stay.dmn", "decision": "cost", "input": {"price": 12345678901234567890.123456789}}',
        "[" * 100_000,
        f'{{"file": "stay.dmn", "decision": "cost", "input": {{"price": {"[" * 200}{"]" * 200}}}}}',
    ]
    listed = file.with_name("cases.jsonl")
    listed.write_text("\n".join(cases))
    code, out, err = told(capfd, "--cases", listed)
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (1, "")
    assert len(lines) == len(cases) - 1  # an empty line is no case
    assert lines[0] == {"file": "stay.dmn", "decision": "cost", "outputs": {"cost": 0.3}, "errors": []}
    codes = [[one["code"] for one in line["errors"]] for line in lines]
    assert codes == [
        [], ["decisions.case"], ["decisions.unknown"], ["decisions.file"], ["decisions.case"], ["decisions.case"],
        ["feel.type"], ["decisions.case"], ["decisions.case"], [], ["decisions.case"],
        ["decisions.input_type", "feel.type"],
    ]  # fmt: skip
    assert lines[2]["outputs"] == {"nope": None}
    assert lines[6]["outputs"] == {"wrong": None}
    assert '"cost": 37037036703703703670.370370367' in out


def test_errors_that_dmn_makes_null_are_no_failure_of_the_cases(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    listed = file.with_name("cases.jsonl")
    listed.write_text('{"decision": "wrong", "input": {"price": 1}}\n{"input": ' + STAY + "}\n")
    code, out, _ = told(capfd, file, "--cases", listed)
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert lines[0]["file"] == str(file)
    assert lines[1]["outputs"]["length of stay"] == "P3D"
    assert lines[1]["decision"] is None


def test_a_file_is_compiled_once_for_all_its_cases(
    file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from furong.entrypoints import deciding

    read: list[Path] = []
    real = deciding.read_dmn
    monkeypatch.setattr(deciding, "read_dmn", lambda path, **kept: read.append(path) or real(path, **kept))
    listed = file.with_name("cases.jsonl")
    listed.write_text('{"file": "stay.dmn", "decision": "cost", "input": {"price": 1}}\n' * 50)
    assert told(capfd, "--cases", listed)[0] == 0
    assert read == [file.resolve()]


def test_the_command_starts_without_django(file: Path) -> None:
    program = (
        "import sys; from furong.entrypoints import cli; "
        f"code = cli.main(['decide', {str(file)!r}, '--decision', 'cost', '--input', '{{\"price\": 1}}']); "
        "sys.exit(code or 'django' in sys.modules or 'psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, '{"cost": 3}\n')


def test_a_table_of_many_rules_is_read_from_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [[f'"C{n}"', str(n)] for n in range(5_000)]
    body = inputs(code="string") + decision(table(["code"], ["o"], rows), needs=requires("code"))
    path = tmp_path / "large.dmn"
    path.write_bytes(definitions(body))
    assert told(capfd, path, "--input", '{"code": "C4999"}') == (0, '{"d": 4999}\n', "")
