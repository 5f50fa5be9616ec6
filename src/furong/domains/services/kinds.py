"""The kinds of definitions that services own: items with what stands beside them, shapes, clusters, overrides, life events."""

from __future__ import annotations

from typing import Any

from furong.domains.services.checks.pack import check_services
from furong.domains.services.checks.scenarios import parse_scenarios
from furong.domains.services.closures import store_closures
from furong.domains.services.dependents import dependents_of  # noqa: F401 - tells the catalogue what depends on it
from furong.domains.services.values.clusters import CLUSTER
from furong.domains.services.values.forms import FORM, Form, with_file
from furong.domains.services.values.implementations import OVERRIDE
from furong.domains.services.values.items import ITEM
from furong.domains.services.values.life_events import EVENT
from furong.domains.services.values.shapes import SHAPE
from furong.foundation.packs.values import (
    XML,
    Finding,
    Frame,
    Kind,
    Report,
    register_kind,
    yaml_parse,
)


def _form(value: Any, report: Report) -> Form:
    return with_file(value, report.file)


def _parse_process(content: bytes, file: str, frame: Frame) -> tuple[Any, list[Finding]]:
    from furong.domains.processes.values.reader import read_bpmn

    reading = read_bpmn(content, file=file, to_publish=True)
    return reading.definition, list(reading.findings)


def _parse_decision(content: bytes, file: str, frame: Frame) -> tuple[Any, list[Finding]]:
    from furong.domains.services.checks.decisions import read_rules

    return read_rules(content, file)


register_kind(
    Kind(
        name="item",
        folder="items",
        file="item.yaml",
        parse=yaml_parse(ITEM),
        cross_check=check_services,
        in_force_from=lambda item: item.in_force_from,
        importer=store_closures,
        on_publish=True,
        order=90,
        alone_in=lambda item: str(item.department),
    )
)
register_kind(Kind(name="form", folder="items", file="form.yaml", parse=yaml_parse(FORM, _form), order=51))
register_kind(Kind(name="process", folder="items", file="process.bpmn", media_type=XML, parse=_parse_process, order=52))
register_kind(Kind(name="decision", folder="items", file="rules.dmn", media_type=XML, parse=_parse_decision, order=53))
register_kind(Kind(name="scenario", folder="items", file="scenarios.yaml", parse=parse_scenarios, order=53))
register_kind(Kind(name="shape", folder="shapes", file="shape.yaml", parse=yaml_parse(SHAPE), order=50))
register_kind(
    Kind(name="shape_process", folder="shapes", file="process.bpmn", media_type=XML, parse=_parse_process, order=50)
)
register_kind(Kind(name="shape_scenario", folder="shapes", file="scenarios.yaml", parse=parse_scenarios, order=50))
register_kind(Kind(name="cluster", folder="clusters", parse=yaml_parse(CLUSTER), order=49))
register_kind(Kind(name="implementation", folder="implementations", parse=yaml_parse(OVERRIDE), order=54))
register_kind(
    Kind(
        name="life_event",
        folder="life_events",
        parse=yaml_parse(EVENT),
        in_force_from=lambda event: event.in_force_from,
        order=60,
    )
)
