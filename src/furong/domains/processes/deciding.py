"""The decision models that belong to a process: DMN files by the name that stands before the ``#`` in ``furong:decision``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from furong.domains.processes.errors import StuckError
from furong.foundation.feel import FeelLimitReached

if TYPE_CHECKING:
    from furong.domains.decisions.model import DecisionModel


class Decisions:
    """Compiles each file when it is first asked; a process without one does not load the room of decisions."""

    __slots__ = ("_models", "_texts")

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._models: dict[str, DecisionModel] = {}

    def model(self, resource: str) -> DecisionModel | None:
        """Give the model of a file, None when there is no such file. Raises `DecisionRefused`."""
        from furong.domains.decisions.queries import parse_dmn

        found = self._models.get(resource)
        if found is None and (content := self._texts.get(resource)) is not None:
            found = self._models[resource] = parse_dmn(content, file=f"{resource}.dmn")
        return found

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        """Evaluate a decision; `StuckError` for what it cannot decide."""
        from furong.domains.decisions.errors import DecisionRefused, UnknownDecision

        try:
            model = self.model(resource)
        except DecisionRefused as exc:
            raise StuckError("decision_failed", f"{resource}: {exc.message}") from exc
        if model is None:
            raise StuckError("decision_missing", f"There is no {resource}.dmn with the process.")
        try:
            result = model.evaluate(decision, context, now=now)
        except (UnknownDecision, FeelLimitReached) as exc:
            raise StuckError("decision_failed", f"{resource}#{decision}: {exc}") from exc
        if result.errors:
            first = result.errors[0]
            raise StuckError("decision_failed", f"{resource}#{decision}: {first.code}: {first.message}")
        return result.value
