"""Diagrams as values, what the checks say of them, and what queries return. No input or output, no clock."""

from __future__ import annotations

from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Flow, Node, ProcessDefinition
from furong.domains.processes.values.parsing import parse_bpmn
from furong.domains.processes.values.reader import Reading, read_bpmn
from furong.domains.processes.values.work import (
    DefinitionInfo,
    DiagramState,
    ElementState,
    Incident,
    Instance,
    Light,
    LogEntry,
    PageKey,
    Task,
    TaskCounts,
    TaskFilters,
    TaskPage,
)

__all__ = [
    "DefinitionInfo",
    "DiagramState",
    "ElementState",
    "Flow",
    "Incident",
    "Instance",
    "Light",
    "LogEntry",
    "Node",
    "NodeKind",
    "PageKey",
    "ProcessDefinition",
    "Reading",
    "Task",
    "TaskCounts",
    "TaskFilters",
    "TaskPage",
    "parse_bpmn",
    "read_bpmn",
]
