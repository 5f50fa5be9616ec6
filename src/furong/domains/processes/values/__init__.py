"""Diagrams as values, what the checks say of them, and what queries return. No input or output, no clock."""

from __future__ import annotations

from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Flow, Node, ProcessDefinition
from furong.domains.processes.values.parsing import parse_bpmn
from furong.domains.processes.values.reader import Reading, read_bpmn

__all__ = ["Flow", "Node", "NodeKind", "ProcessDefinition", "Reading", "parse_bpmn", "read_bpmn"]
