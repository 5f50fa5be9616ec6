"""A compiled model: what it asks for, what it holds, and how it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from furong.domains.decisions.errors import DecisionFinding, NoFinalDecision, UnknownDecision
from furong.domains.decisions.item_types import ItemType
from furong.domains.decisions.values import DecisionResult
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.operators import Fn

__all__ = ["Decision", "DecisionModel", "InputData", "Need", "Service"]


@dataclass(frozen=True, slots=True)
class Need:
    """What a decision requires: its name, the import that brings it (or nothing), its key within the model."""

    alias: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class InputData:
    """What a model asks its caller for. ``paths`` are the imports by which the main file reaches it."""

    element_id: str
    name: str
    type: ItemType | None
    line: int
    key: str
    is_own: bool
    paths: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision (or business knowledge model, which is a decision whose value is a function)."""

    element_id: str
    name: str
    type: ItemType | None
    line: int
    requires: tuple[str, ...]  # keys of input data, decisions, knowledge models and services
    program: Program = field(repr=False)
    fn: Fn = field(repr=False)
    is_knowledge: bool
    title: str
    key: str
    is_own: bool
    needs: tuple[Need, ...] = ()
    parameters: tuple[str, ...] = ()
    faults: tuple[DecisionFinding, ...] = ()  # expressions in it that cannot be run, in a lenient model


@dataclass(frozen=True, slots=True)
class Service:
    """A decision service: keys of the decisions it gives and of what it takes (DMN 1.5, 6.3.9)."""

    element_id: str
    name: str
    title: str
    line: int
    key: str
    is_own: bool
    outputs: tuple[str, ...]
    input_decisions: tuple[str, ...]
    input_data: tuple[str, ...]
    type: ItemType | None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Keys of its parameters, in the order of a call: input data, then input decisions."""
        return (*self.input_data, *self.input_decisions)


@dataclass(frozen=True)
class DecisionModel:
    """A model that is ready to run. Safe to share between threads."""

    name: str
    file: str
    digest: str
    version: str
    inputs: Mapping[str, InputData]
    decisions: Mapping[str, Decision]  # by name, each after those it requires
    services: Mapping[str, Service]
    faults: tuple[DecisionFinding, ...]
    imports: Mapping[str, str]  # namespaces by the names that the file gives them
    all_inputs: Mapping[str, InputData] = field(repr=False)  # with those of imported files, by key
    all_decisions: Mapping[str, Decision] = field(repr=False)
    all_services: Mapping[str, Service] = field(repr=False)

    def find_decision(self, decision: str) -> Decision | None:
        """Return the decision with this id or name, ``prefix.name`` for an import's, or None."""
        for one in self.decisions.values():
            if decision in (one.element_id, one.name, one.title) and not one.is_knowledge:
                return one
        for alias, namespace in self.imports.items():
            found = self.all_decisions.get(f"{namespace}#{decision.removeprefix(f'{alias}.')}")
            if found is not None and not found.is_knowledge and (not alias or decision.startswith(f"{alias}.")):
                return found
        return None

    def find_service(self, service: str) -> Service | None:
        """Return the decision service with this id or name, or None."""
        for one in self.services.values():
            if service in (one.element_id, one.name, one.title):
                return one
        return None

    def final_decisions(self) -> tuple[Decision, ...]:
        """Return the decisions that no other decision requires."""
        required = {key for one in self.decisions.values() for key in one.requires}
        return tuple(one for one in self.decisions.values() if not one.is_knowledge and one.key not in required)

    def required_inputs(self, decision: str | None = None) -> tuple[InputData, ...]:
        """Return the input data that ``decision`` (or all final ones) needs, however far away."""
        keys = self.needed([one.key for one in self._targets(decision)])
        return tuple(one for one in self.all_inputs.values() if one.key in keys)

    def evaluate(
        self,
        decision: str | None,
        inputs: Mapping[str, object],
        *,
        now: datetime | None = None,
        from_json: bool = False,
    ) -> DecisionResult:
        """Run ``decision`` (an id or a name; all final ones without) and what it requires.

        ``inputs`` are values by the names of input data; one that is missing or of a wrong type is null and an error.
        A decision service is named as a decision is; its outputs are those of its output decisions, and ``inputs``
        gives its input decisions too. What an import needs stands under ``prefix.name``, or in a context named as the
        import, or under its bare name where this file has no such input. ``now`` is what ``now()`` and ``today()``
        give. With ``from_json`` texts become dates, times and durations where the input's type says so. Raises
        ``UnknownDecision``. Each decision runs once.
        """
        from furong.domains.decisions.evaluating import evaluate_decisions, evaluate_service

        if decision is not None and self.find_decision(decision) is None:
            service = self.find_service(decision)
            if service is not None:
                return evaluate_service(self, service, inputs, now, from_json=from_json)
        return evaluate_decisions(self, self._targets(decision), inputs, now, from_json=from_json)

    def evaluate_all(
        self, inputs: Mapping[str, object], *, now: datetime | None = None, from_json: bool = False
    ) -> DecisionResult:
        """Run every decision of the file, as ``evaluate`` runs one."""
        from furong.domains.decisions.evaluating import evaluate_decisions

        targets = tuple(one for one in self.decisions.values() if not one.is_knowledge)
        return evaluate_decisions(self, targets, inputs, now, from_json=from_json)

    def needed(self, keys: list[str], given: Mapping[str, object] | None = None) -> set[str]:
        """Return the keys of what is needed to run ``keys``, short of what is ``given``."""
        found: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found and (given is None or key not in given):
                found.add(key)
                decision = self.all_decisions.get(key)
                if decision is not None and not decision.is_knowledge:
                    waiting.extend(decision.requires)
        return found

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
