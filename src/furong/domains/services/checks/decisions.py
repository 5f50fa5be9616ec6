"""Reads decision tables of a pack through `furong.domains.decisions`, and finds the data elements they use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from furong.domains.decisions import DecisionModel, DecisionRefused, parse_dmn
from furong.foundation.packs.values import Finding, both

_WITH_FEEL = frozenset({"inputExpression", "literalExpression", "inputEntry", "outputEntry", "defaultOutputEntry"})


def read_rules(content: bytes, file: str) -> tuple[DecisionModel | None, list[Finding]]:
    """Parse a DMN file; gives the model, or None with findings."""
    try:
        return parse_dmn(content, file=file), []
    except DecisionRefused as refused:
        return None, [
            Finding(
                file=f.file,
                line=f.line,
                element=f.element,
                rule=f.rule,
                message=both(f.message, f.message),
                mend=both(f.mend, f.mend),
            )
            for f in refused.findings
        ]


def expressions_of(content: bytes) -> Iterator[tuple[int, str, str]]:
    """Give line, place and text of each FEEL expression of a DMN file that was parsed before."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root: Any = etree.fromstring(content, parser)
    place = ""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname
        if name == "decision":
            place = element.get("id", "")
        if name in _WITH_FEEL:
            for child in element:
                if isinstance(child.tag, str) and etree.QName(child).localname == "text":
                    text = (child.text or "").strip()
                    if text and name not in {"inputEntry"}:
                        yield element.sourceline or 1, place, text
