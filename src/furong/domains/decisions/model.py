"""A compiled model and its evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from furong.domains.decisions.errors import NoFinalDecision, UnknownDecision
from furong.domains.decisions.item_types import ItemType
from furong.domains.decisions.values import DecisionProblem, DecisionResult, FiredRule
from furong.foundation.feel import FeelLimitReached, FeelProblem, to_feel
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.operators import Fn
from furong.foundation.feel.values import Run, check_size

__all__ = ["Decision", "DecisionModel", "InputData"]


@dataclass(frozen=True, slots=True)
class InputData:
    """What a model asks its caller for."""

    element_id: str
    name: str
    type: ItemType | None
    line: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision (or business knowledge model, which is a decision whose value is a function)."""

    element_id: str
    name: str
    type: ItemType | None
    line: int
    requires: tuple[str, ...]  # names of input data, decisions and knowledge models
    program: Program = field(repr=False)
    fn: Fn = field(repr=False)
    is_knowledge: bool = False


@dataclass(frozen=True)
class DecisionModel:
    """A model that is ready to run. Safe to share between threads."""

    name: str
    file: str
    digest: str
    version: str
    inputs: Mapping[str, InputData]
    decisions: Mapping[str, Decision]  # by name, each after those it requires

    def find_decision(self, decision: str) -> Decision | None:
        """This function will return the decision with this id or name, or None."""
        for one in self.decisions.values():
            if decision in (one.element_id, one.name) and not one.is_knowledge:
                return one
        return None

    def final_decisions(self) -> tuple[Decision, ...]:
        """This function will return the decisions that no other decision requires."""
        required = {name for one in self.decisions.values() for name in one.requires}
        return tuple(one for one in self.decisions.values() if not one.is_knowledge and one.name not in required)

    def required_inputs(self, decision: str | None = None) -> tuple[InputData, ...]:
        """This function will return the input data that ``decision`` (or all final ones) needs, however far away."""
        names = self._needed(self._targets(decision))
        return tuple(one for one in self.inputs.values() if one.name in names)

    def evaluate(
        self, decision: str | None, inputs: Mapping[str, object], *, now: datetime | None = None
    ) -> DecisionResult:
        """This function will run ``decision`` (an id or a name; all final ones without) and what it requires.

        ``inputs`` are values by the names of input data; one that is missing or of a wrong type is null and an error.
        ``now`` is what ``now()`` and ``today()`` give. Raises ``UnknownDecision``. Each decision runs once.
        """
        targets = self._targets(decision)
        needed = self._needed(targets)
        errors: list[DecisionProblem] = []
        notes: list[DecisionProblem] = []
        fired: list[FiredRule] = []
        values: dict[str, object] = {}
        for data in self.inputs.values():
            if data.name in needed:
                values[data.name] = _input_value(data, inputs, errors)
        ran: dict[str, object] = {}
        for one in self.decisions.values():
            if one.name in needed:
                values[one.name] = self._run(one, values, now, errors, notes, fired)
                if not one.is_knowledge:
                    ran[one.name] = values[one.name]
        outputs = {one.name: values[one.name] for one in targets}
        return DecisionResult(outputs, tuple(fired), tuple(errors), tuple(notes), ran)

    def _targets(self, decision: str | None) -> tuple[Decision, ...]:
        if decision is None:
            targets = self.final_decisions()
            if not targets:
                raise NoFinalDecision
            return targets
        found = self.find_decision(decision)
        if found is None:
            raise UnknownDecision(decision)
        return (found,)

    def _needed(self, targets: tuple[Decision, ...]) -> set[str]:
        needed: set[str] = set()
        waiting = [one.name for one in targets]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                if name in self.decisions:
                    waiting.extend(self.decisions[name].requires)
        return needed

    def _run(
        self,
        decision: Decision,
        values: Mapping[str, object],
        now: datetime | None,
        errors: list[DecisionProblem],
        notes: list[DecisionProblem],
        fired: list[FiredRule],
    ) -> object:
        problems: list[FeelProblem] = []
        env = decision.program.environment(values, now, problems)
        run = env[0]
        value: object = None
        try:
            value = check_size(decision.fn(env))
        except (FeelLimitReached, RecursionError) as limit:
            errors.append(DecisionProblem("feel.limit", str(limit), decision.name, decision.line))
        if isinstance(run, Run):
            fired.extend(one for one in run.trace if isinstance(one, FiredRule))
        for problem in problems:
            kept = DecisionProblem(problem.code, problem.message, decision.name, problem.line)
            (errors if problem.code.startswith("decisions.") else notes).append(kept)
        if decision.type is not None:
            value, fits = decision.type.coerce(value)
            if not fits:
                message = f"The decision's value is no {decision.type.name}."
                errors.append(DecisionProblem("decisions.output_type", message, decision.name, decision.line))
        return value


def _input_value(data: InputData, inputs: Mapping[str, object], errors: list[DecisionProblem]) -> object:
    if data.name not in inputs:
        errors.append(DecisionProblem("decisions.input_missing", f"The input {data.name} is missing.", "", data.line))
        return None
    try:
        value = to_feel(inputs[data.name])
    except (TypeError, FeelLimitReached):
        message = f"The input {data.name} is of no type that FEEL has."
        errors.append(DecisionProblem("decisions.input_type", message, "", data.line))
        return None
    if data.type is not None:
        value, fits = data.type.coerce(value)
        if not fits:
            message = f"The input {data.name} is no {data.type.name}."
            errors.append(DecisionProblem("decisions.input_type", message, "", data.line))
    return value
