"""`furong process`: check a diagram, and run one in memory as data says. Without Django and without a database."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO


class _Misuse(Exception):  # noqa: N818 - not an error of the program: what was asked for is not there
    """What the command was given cannot be used; the exit code says whether it was the caller's mistake."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def add_process(commands: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Add `process` with its two actions to the parsers of the command line."""
    text = "check BPMN files, or run one in memory"
    process = commands.add_parser("process", help=text, description=text)
    process.set_defaults(run=run)
    process.add_argument("action", choices=["check", "run"])
    process.add_argument("file", type=Path, nargs="+", help="BPMN 2.0 files (one, to run it)")
    process.add_argument("--dmn", type=Path, action="append", default=[], help="a DMN file from elsewhere")
    process.add_argument("--json", action="store_true", help="check: findings as JSON lines, in both languages")
    process.add_argument("--language", choices=["en", "zh"], default="en", help="check: the language of findings")
    process.add_argument("--input", default="", help="run: variables as JSON text, @FILE, or - for standard input")
    process.add_argument("--trace", action="store_true", help="run: print each event as a JSON line")
    process.add_argument("--answers", type=Path, help="run: what people, services and the clock do (JSON lines, YAML)")
    process.add_argument("--scenario", default="", help="run: the one of this name in a file of scenarios")
    process.add_argument("--process", default="", help="run: the process to start, where the file has several")
    process.add_argument("--key", default="rehearsal", help="run: the business key, which messages carry")
    process.add_argument("--now", default="", help="run: when it starts (ISO 8601; default: now)")
    process.add_argument("--time-zone", default="", help="run: the zone of dates (default: the pack's)")
    process.add_argument("--calendar", type=Path, help="run: a holidays.yaml (default: the pack's)")


def process(args: argparse.Namespace) -> int:
    """Do what `furong process` was asked; gives the exit code."""
    # Chinese reads as itself wherever the output goes.
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        if args.action == "check":
            return check(args.file, dmn=args.dmn, as_json=args.json, language=args.language)
        if len(args.file) != 1:
            raise _Misuse("give one file to run", 2)
        return rehearse(args)
    except _Misuse as exc:
        print(f"furong process: {exc}", file=sys.stderr)
        return exc.code
    except OSError as exc:
        print(f"furong process: {exc.filename}: {exc.strerror}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1


def check(files: list[Path], *, dmn: list[Path], as_json: bool, language: str) -> int:
    """Print what is wrong with BPMN files, a line for each finding; 1 when there is an error."""
    from furong.domains.processes.bundles import read_file

    errors = warnings = 0
    for path in files:
        for finding in read_file(path, more=dmn).findings:
            errors += finding.is_error
            warnings += not finding.is_error
            if as_json:
                said = {"file": finding.file, "line": finding.line, "element": finding.element, "rule": finding.rule}
                said |= {"severity": finding.severity.value}
                said |= {"message": finding.message.as_dict(), "mend": finding.mend.as_dict()}
                print(json.dumps(said, ensure_ascii=False))
            else:
                print(finding.format(language=language))
    if not as_json:
        names = ", ".join(str(path) for path in files)
        print(f"{names}: {errors} errors, {warnings} warnings" if errors or warnings else f"{names}: in order")
    return 1 if errors else 0


def rehearse(args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Run a process in memory to its end or its next waits, and print what came; 1 when an answer does not fit."""
    from furong.domains.processes.bundles import calendar_of, read_file
    from furong.domains.processes.rehearsal import Rehearsal
    from furong.domains.processes.scenarios import StepError, begin, play, unexpected_incidents
    from furong.domains.processes.variables import json_text
    from furong.foundation.calendar.errors import CalendarRefused

    path: Path = args.file[0]
    bundle = read_file(path, more=args.dmn)
    if not bundle.definitions:
        for finding in bundle.findings:
            print(finding.format(language=args.language), file=sys.stderr)
        return 1
    try:
        calendar = calendar_of(path, holidays=args.calendar, zone=args.time_zone)
    except (CalendarRefused, ValueError) as exc:
        raise _Misuse(str(exc), 2) from exc
    scenario = _scenario(args, calendar.tz)
    stream = out or sys.stdout

    def tell(said: Mapping[str, object]) -> None:
        print(json_text(said), file=stream)

    rehearsal = Rehearsal(
        bundle.definitions,
        now=scenario.now or datetime.now(UTC).replace(microsecond=0),
        calendar=calendar,
        decisions=bundle.decisions,
        report=tell if args.trace else None,
    )
    wrong: StepError | None = None
    try:
        begin(rehearsal, scenario, key=args.key)
        play(rehearsal, scenario.steps)
        last = scenario.steps[-1].line if scenario.steps else 0
        unexpected_incidents(rehearsal, scenario.steps, last)
    except StepError as exc:
        wrong = exc
    if rehearsal.instances:
        tell(rehearsal.state())
    stream.flush()
    if wrong is None:
        return 0
    place = f"{args.answers}:{wrong.line}" if args.answers and wrong.line else str(path)
    print(f"{place}: {wrong.rule}: {wrong.text.pick(args.language)}", file=sys.stderr)
    return 1


def _scenario(args: argparse.Namespace, zone: Any) -> Any:
    """Put together what to begin with and what happens; the options win over what a file of scenarios says."""
    from dataclasses import replace

    from furong.domains.processes.values.steps import Scenario, StepsError, read_json_lines, read_scenarios, read_steps
    from furong.domains.processes.values.times import parse_moment
    from furong.foundation.packs.values.source import SourceRefused, parse_yaml

    found = Scenario(name="", line=0, now=None, input={}, services={}, steps=())
    answers: Path | None = args.answers
    try:
        if answers is not None and answers.suffix in {".yaml", ".yml"}:
            node = parse_yaml(answers.read_bytes(), file=str(answers))
            if not args.scenario:
                found = replace(found, steps=read_steps(node))
            else:
                every = {one.name: one for one in read_scenarios(node, zone=zone).scenarios}
                if args.scenario not in every:
                    raise _Misuse(f"{answers} has no scenario {args.scenario}; there are: {', '.join(every)}", 2)
                found = every[args.scenario]
        elif args.scenario:
            raise _Misuse("--scenario names one of a YAML file given as --answers", 2)
        elif answers is not None:
            found = replace(found, steps=read_json_lines(answers.read_bytes().decode()))
    except SourceRefused as exc:
        raise _Misuse("\n".join(one.format(language=args.language) for one in exc.findings)) from exc
    except StepsError as exc:
        raise _Misuse(f"{answers}:{exc.line}: {exc.text.pick(args.language)}") from exc
    except UnicodeDecodeError as exc:
        raise _Misuse(f"{answers} is not UTF-8") from exc
    try:
        moment = parse_moment(args.now, zone=zone) if args.now else found.now
    except ValueError as exc:
        raise _Misuse(f"--now: {exc}", 2) from exc
    variables = {**found.input, **_input(args.input)}
    return replace(found, now=moment, input=variables, process=args.process or found.process)


def _input(text: str) -> dict[str, Any]:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    if not text.strip():
        return {}
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError as exc:
        raise _Misuse(f"--input is not JSON: {exc}", 2) from exc
    if not isinstance(found, dict):
        raise _Misuse("--input is not a JSON object", 2)
    return found
