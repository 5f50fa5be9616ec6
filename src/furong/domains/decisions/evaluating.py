"""Running a model: each decision that is needed once, in order; knowledge models and services as functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from furong.domains.decisions.closures import enter, fit, fitted_arguments
from furong.domains.decisions.model import Decision, DecisionModel, InputData, Service
from furong.domains.decisions.values import DecisionProblem, DecisionResult, FiredRule
from furong.foundation.feel import FeelFunction, FeelLimitReached, FeelProblem, to_feel
from furong.foundation.feel.values import Run, check_size

__all__ = ["evaluate_decisions", "evaluate_service"]


def evaluate_decisions(
    model: DecisionModel,
    targets: Sequence[Decision],
    inputs: Mapping[str, object],
    now: datetime | None,
    *,
    from_json: bool = False,
) -> DecisionResult:
    """Run ``targets`` and what they require over the caller's ``inputs``."""
    run = _Evaluation(model, now, from_json=from_json)
    needed = model.needed([one.key for one in targets])
    for data in model.all_inputs.values():
        if data.key in needed:
            run.values[data.key] = run.input(data, inputs)
    run.decide(needed)
    return run.result({one.name: run.values[one.key] for one in targets})


def evaluate_service(
    model: DecisionModel,
    service: Service,
    inputs: Mapping[str, object],
    now: datetime | None,
    *,
    from_json: bool = False,
) -> DecisionResult:
    """Run a decision service with ``inputs`` for its input data and input decisions."""
    run = _Evaluation(model, now, from_json=from_json)
    given: dict[str, object] = {}
    for key in service.input_decisions:
        decision = model.all_decisions[key]
        given[key] = run.input(
            InputData(decision.element_id, decision.name, decision.type, decision.line, key, decision.is_own), inputs
        )
    needed = model.needed(list(service.outputs), given)
    for data in model.all_inputs.values():
        if data.key in needed or data.key in service.input_data:
            given[data.key] = run.input(data, inputs)
    run.values.update(given)
    run.decide(needed)
    outputs = {model.all_decisions[key].name: run.values[key] for key in service.outputs}
    together = next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)
    if service.type is not None:
        value, fits = service.type.coerce(together)
        if not fits:
            message = f"What the service gives is no {service.type.name}."
            run.errors.append(DecisionProblem("decisions.output_type", message, service.name, service.line))
            outputs = dict.fromkeys(outputs)
        elif len(outputs) == 1:
            outputs = {next(iter(outputs)): value}
    return run.result(outputs)


class _Evaluation:
    """One run of a model, or of a service within one: values by key, and what went wrong."""

    def __init__(self, model: DecisionModel, now: datetime | None, *, from_json: bool = False) -> None:
        self.model = model
        self.from_json = from_json
        self.now = now
        self.values: dict[str, object] = {}
        self.errors: list[DecisionProblem] = []
        self.notes: list[DecisionProblem] = []
        self.fired: list[FiredRule] = []
        self.ran: dict[str, object] = {}

    def result(self, outputs: Mapping[str, object]) -> DecisionResult:
        return DecisionResult(outputs, tuple(self.fired), tuple(self.errors), tuple(self.notes), self.ran)

    # --- inputs ---------------------------------------------------------------------------------------------

    def input(self, data: InputData, inputs: Mapping[str, object]) -> object:
        """What the caller gave for ``data``, as its type has it; null with an error otherwise."""
        found = _given(data, inputs, self.model)
        if found is None:
            return self._null("decisions.input_missing", f"The input {data.name} is missing.", data)
        try:
            value = to_feel(found[0])
        except (TypeError, FeelLimitReached):
            return self._null("decisions.input_type", f"The input {data.name} is of no type that FEEL has.", data)
        if data.type is not None:
            if self.from_json:
                value = data.type.read(value)
            value, fits = data.type.coerce(value)
            if not fits:
                return self._null("decisions.input_type", f"The input {data.name} is no {data.type.name}.", data)
        return value

    def _null(self, code: str, message: str, data: InputData) -> object:
        self.errors.append(DecisionProblem(code, message, "", data.line))
        return None

    # --- decisions ------------------------------------------------------------------------------------------

    def decide(self, needed: set[str]) -> None:
        """Run every needed decision that has no value yet, each after those it requires."""
        for key, decision in self.model.all_decisions.items():
            if key in needed and not decision.is_knowledge and key not in self.values:
                self.values[key] = self._decide(decision)
                if decision.is_own:
                    self.ran[decision.name] = self.values[key]

    def context(self, decision: Decision) -> dict[str, object]:
        """The names that the decision's expressions may use."""
        context: dict[str, object] = {}
        for need in decision.needs:
            value = self.values[need.key] if need.key in self.values else self._callable(need.key)
            if need.alias:
                inner = context.setdefault(need.alias, {})
                if isinstance(inner, dict):
                    inner[need.name] = value
            else:
                context[need.name] = value
        if decision.is_knowledge:
            context[decision.name] = self._callable(decision.key)
        return context

    def _decide(self, decision: Decision) -> object:
        problems: list[FeelProblem] = []
        env = decision.program.environment(self.context(decision), self.now, problems)
        run = env[0]
        value: object = None
        try:
            value = check_size(decision.fn(env))
        except FeelLimitReached as limit:
            self.errors.append(DecisionProblem("feel.limit", str(limit), decision.name, decision.line))
        except RecursionError:
            message = "The evaluation passed its limit of calls within calls."
            self.errors.append(DecisionProblem("feel.limit", message, decision.name, decision.line))
        if isinstance(run, Run):
            self.fired.extend(one for one in run.trace if isinstance(one, FiredRule))
        for problem in problems:
            kept = DecisionProblem(problem.code, problem.message, decision.name, problem.line)
            (self.errors if problem.code.startswith("decisions.") else self.notes).append(kept)
        if decision.type is not None:
            value, fits = decision.type.coerce(value)
            if not fits:
                message = f"The decision's value is no {decision.type.name}."
                self.errors.append(DecisionProblem("decisions.output_type", message, decision.name, decision.line))
        return value

    # --- functions ------------------------------------------------------------------------------------------

    def _callable(self, key: str) -> object:
        """A knowledge model or a service as a function, made when first asked; null for what has no value."""
        if key in self.values:
            return self.values[key]
        knowledge, service = self.model.all_decisions.get(key), self.model.all_services.get(key)
        if knowledge is not None and knowledge.is_knowledge:
            self.values[key] = self._knowledge(knowledge)
        elif service is not None:
            self.values[key] = self._service(service)
        else:
            return None
        return self.values[key]

    def _knowledge(self, knowledge: Decision) -> FeelFunction:
        made: list[FeelFunction] = []

        def call(run: Run, arguments: Sequence[object]) -> object:
            if not made:
                env = knowledge.program.environment(self.context(knowledge), self.now, [])
                env[0] = run
                found = knowledge.fn(env)
                if not isinstance(found, FeelFunction):
                    return None
                made.append(found)
            return made[0].call(run, arguments)

        return FeelFunction(knowledge.parameters, call)

    def _service(self, service: Service) -> FeelFunction:
        model = self.model
        names: list[str] = []
        types = []
        for key in service.parameters:
            one = model.all_inputs.get(key) or model.all_decisions[key]
            names.append(one.name)
            types.append(one.type)

        def call(run: Run, arguments: Sequence[object]) -> object:
            values = fitted_arguments(run, names, types, arguments, service.line)
            if values is None:
                return None
            enter(run)
            try:
                return self._invoke(service, dict(zip(service.parameters, values, strict=True)), run)
            finally:
                run.calls -= 1

        return FeelFunction(tuple(names), call)

    def _invoke(self, service: Service, given: dict[str, object], run: Run) -> object:
        """Run the service's decisions within ``run``, which counts their steps and takes their notes."""
        inner = _Evaluation(self.model, self.now)
        needed = self.model.needed(list(service.outputs), given)
        for key in needed & self.model.all_inputs.keys():
            given[key] = None  # not among what the service takes
        inner.values = given
        for key, decision in self.model.all_decisions.items():
            if key not in needed or decision.is_knowledge or key in inner.values:
                continue
            env = decision.program.environment(inner.context(decision), self.now, [])
            env[0] = run
            value = decision.fn(env)
            if decision.type is not None:
                value, fits = fit(decision.type, value)
                if not fits:
                    message = f"The value of {decision.name} is no {decision.type.name}."
                    run.problem("decisions.output_type", message, decision.line)
            inner.values[key] = value
        outputs = {self.model.all_decisions[key].name: inner.values[key] for key in service.outputs}
        together: object = next(iter(outputs.values())) if len(outputs) == 1 else outputs
        if service.type is not None:
            together, fits = fit(service.type, together)
            if not fits:
                run.problem("decisions.output_type", f"What the service gives is no {service.type.name}.", service.line)
        return together


def _given(data: InputData, inputs: Mapping[str, object], model: DecisionModel) -> tuple[object] | None:
    """What the caller gave under one of the names by which it may call ``data``."""
    if data.is_own:
        return (inputs[data.name],) if data.name in inputs else None
    for path in data.paths:
        if (dotted := ".".join((*path, data.name))) in inputs:
            return (inputs[dotted],)
        inner: object = inputs
        for step in (*path, data.name):
            inner = inner[step] if isinstance(inner, Mapping) and step in inner else _MISSING
        if inner is not _MISSING:
            return (inner,)
    if data.name in inputs and data.name not in model.inputs:
        return (inputs[data.name],)
    return None


_MISSING = object()
