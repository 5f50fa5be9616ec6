"""`furong decide`: evaluate DMN files, one call or many cases in one process. Needs neither Django nor a database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from furong.domains.decisions import (
    DecisionFinding,
    DecisionModel,
    DecisionProblem,
    DecisionRefused,
    DecisionResult,
    UnknownDecision,
    read_dmn,
    read_json,
    write_json,
)
from furong.foundation.feel import FeelLimitReached

__all__ = ["run"]

_DONE, _WRONG, _MISUSED = 0, 1, 2
_MOST_LINE = 20_000_000


class _CaseError(Exception):
    """A case that cannot be run, with what to tell of it."""

    def __init__(self, code: str, message: str, findings: tuple[DecisionFinding, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.findings = findings

    def told(self) -> list[dict[str, object]]:
        if not self.findings:
            return [{"code": self.code, "message": str(self)}]
        return [
            {
                "code": one.rule, "message": one.message, "mend": one.mend, "file": one.file, "line": one.line,
                "element": one.element,
            }
            for one in self.findings
        ]  # fmt: skip


@dataclass(slots=True)
class _Models:
    """The models of this process: each file is compiled once."""

    kept: dict[Path, DecisionModel | _CaseError] = field(default_factory=dict)

    def get(self, path: Path) -> DecisionModel:
        path = path.resolve()
        found = self.kept.get(path)
        if found is None:
            try:
                found = read_dmn(path, lenient=True)
            except DecisionRefused as refused:
                found = _CaseError(refused.code, str(refused), refused.findings)
            except OSError as fault:
                found = _CaseError("decisions.file", f"The file {path.name} cannot be read: {fault.strerror}.")
            self.kept[path] = found
        if isinstance(found, _CaseError):
            raise found
        return found


def run(args: argparse.Namespace) -> int:
    """Run the command that ``args`` describes and return its exit code."""
    now = datetime.now(UTC)
    if args.now is not None:
        try:
            now = datetime.fromisoformat(args.now)
        except ValueError:
            return _misused("--now takes a date and time such as 2026-07-01T09:00:00+08:00")
        now = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
    if args.cases is not None:
        if args.input is not None or args.decision is not None:
            return _misused("--cases brings decisions and inputs of its own")
        return _cases(args.cases, args.file, now)
    if args.file is None:
        return _misused("name a DMN file, or --cases")
    try:
        given = read_json(_text(args.input)) if args.input is not None else {}
    except (ValueError, OSError) as fault:
        return _misused(f"--input is not readable as JSON: {fault}")
    if not isinstance(given, dict):
        return _misused("--input takes a JSON object: inputs by their names")
    try:
        result = _evaluate(_Models().get(args.file), args.decision, given, now)
    except _CaseError as wrong:
        for finding in wrong.findings:
            print(f"{finding.file}:{finding.line}: {finding.element}: {finding.rule}: {finding.message} {finding.mend}",
                  file=sys.stderr)  # fmt: skip
        if not wrong.findings:
            print(f"furong decide: {wrong.code}: {wrong}", file=sys.stderr)
        return _WRONG
    _print(write_json(dict(result.outputs)))
    told = result.told()
    for problem in told:
        where = ", ".join(filter(None, (problem.decision, f"line {problem.line}" if problem.line else "")))
        print(f"furong decide: {problem.code}: {problem.message}{f' ({where})' if where else ''}", file=sys.stderr)
    return _WRONG if told else _DONE


def _misused(message: str) -> int:
    print(f"furong decide: {message}", file=sys.stderr)
    return _MISUSED


def _text(given: str) -> str:
    """The JSON that ``--input`` means: itself, a file's after ``@``, or what comes in for ``-``."""
    if given == "-":
        return sys.stdin.read()
    if given.startswith("@"):
        return Path(given[1:]).read_text("utf-8")
    return given


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


def _evaluate(model: DecisionModel, decision: str | None, given: Mapping[str, object], now: datetime) -> DecisionResult:
    try:
        if decision is None:
            return model.evaluate_all(given, now=now, from_json=True)
        return model.evaluate(decision, given, now=now, from_json=True)
    except UnknownDecision as unknown:
        known = [one.name for one in model.decisions.values() if not one.is_knowledge]
        known += [one.name for one in model.services.values()]
        names = ", ".join(known[:20])
        raise _CaseError(unknown.code, f"The model has no decision {decision!r}. It has: {names}.") from None
    except (FeelLimitReached, RecursionError) as limit:
        message = str(limit) if isinstance(limit, FeelLimitReached) else "The values are nested too deep."
        raise _CaseError("feel.limit", message) from None


# --- many ---------------------------------------------------------------------------------------------------------


def _cases(source: str, default: Path | None, now: datetime) -> int:
    """Answer each line with a line; 1 when a line could not be run at all."""
    models = _Models()
    folder = Path() if source == "-" else Path(source).parent
    broken = False
    try:
        for line in _lines(source):
            answer, ran = _case(line, folder, default, models, now)
            broken = broken or not ran
            _print(answer)
    except BrokenPipeError:
        raise
    except OSError as fault:
        return _misused(f"--cases cannot be read: {fault.strerror}")
    return _WRONG if broken else _DONE


def _lines(source: str) -> Iterator[str]:
    if source == "-":
        yield from (line.decode("utf-8", "replace") for line in sys.stdin.buffer if line.strip())
        return
    with Path(source).open("rb") as file:
        while line := file.readline(_MOST_LINE):
            if line.strip():
                yield line.decode("utf-8", "replace")


def _case(line: str, folder: Path, default: Path | None, models: _Models, now: datetime) -> tuple[str, bool]:
    told: dict[str, object] = {"file": None, "decision": None}
    try:
        path, decision, given = _read_case(line, folder, default, told)
        result = _evaluate(models.get(path), decision, given, now)
        told["outputs"] = dict(result.outputs)
        told["errors"] = [_problem(one) for one in result.told()]
        return write_json(told), True
    except _CaseError as wrong:
        errors = wrong.told()
    except Exception as fault:  # noqa: BLE001  one case never ends the others; what is told holds no value
        errors = [{"code": "decisions.fault", "message": f"The case could not be run: {type(fault).__name__}."}]
    told["outputs"] = {} if told["decision"] is None else {told["decision"]: None}
    told["errors"] = errors
    return write_json(told), False


def _problem(one: DecisionProblem) -> dict[str, object]:
    found: dict[str, object] = {"code": one.code, "message": one.message}
    if one.decision:
        found["decision"] = one.decision
    if one.line:
        found["line"] = one.line
    return found


def _read_case(
    line: str, folder: Path, default: Path | None, told: dict[str, object]
) -> tuple[Path, str | None, Mapping[str, object]]:
    """A case's file, decision and input; notes file and decision in ``told`` as soon as they are known."""
    try:
        case = read_json(line)
    except ValueError as why:
        raise _CaseError("decisions.case", f"The line is no JSON: {why}") from None
    if not isinstance(case, dict):
        raise _CaseError("decisions.case", "The line is no JSON object of file, decision and input.")
    file, decision, given = case.get("file"), case.get("decision"), case.get("input")
    if isinstance(file, str):
        told["file"] = file
    elif file is None and default is not None:
        told["file"] = str(default)
    if isinstance(decision, str):
        told["decision"] = decision
    elif decision is not None:
        raise _CaseError("decisions.case", "The case's decision is no text.")
    if told["file"] is None:
        raise _CaseError("decisions.case", "The case names no file.")
    if given is not None and not isinstance(given, dict):
        raise _CaseError("decisions.case", "The case's input is no JSON object.")
    if file is None and default is not None:
        return default, decision, given or {}
    beside = folder / str(told["file"])
    return beside if beside.exists() else Path(str(told["file"])), decision, given or {}
