"""XML to elements with lines, before anything is understood: no entities, no DTD, no network, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from furong.domains.decisions.errors import DecisionFinding, DecisionRefused

__all__ = ["MODEL_NAMESPACES", "Findings", "child", "children", "name_of", "read_xml", "tag", "text_of"]

MOST_BYTES = 5_000_000
MODEL_NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20151101/dmn11.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}

Element = etree._Element


@dataclass(slots=True)
class Findings:
    """Gathers findings, so that an author sees all of them at once."""

    file: str
    lenient: bool = False  # what concerns one expression makes it null with an error, instead of refusing the file
    found: list[DecisionFinding] = field(default_factory=list)
    faults: list[DecisionFinding] = field(default_factory=list)

    def add(
        self, element: Element | None, rule: str, message: str, mend: str, *, line_offset: int = 0, local: bool = False
    ) -> DecisionFinding:
        """Note a finding at ``element``; a ``local`` one concerns one expression alone."""
        line, name = 1, "definitions"
        if element is not None:
            line = line_of(element) + line_offset
            name = element.get("id") or element.get("name") or _named_parent(element)
        finding = DecisionFinding(self.file, line, name, f"decisions.{rule}", message, mend)
        (self.faults if local and self.lenient else self.found).append(finding)
        return finding

    def refuse(self) -> None:
        """Raise ``DecisionRefused`` when there is anything."""
        if self.found:
            raise DecisionRefused(tuple(sorted(self.found, key=lambda one: (one.line, one.element, one.rule))))


def _named_parent(element: Element) -> str:
    for one in element.iterancestors():
        if one.get("id") or one.get("name"):
            return f"{tag(element)} of {one.get('id') or one.get('name')}"
    return tag(element)


def read_xml(data: bytes, findings: Findings) -> Element:
    """Parse ``data`` and return the ``definitions`` element.

    Raises ``DecisionRefused`` for what is not XML, has a document type, is too large or is not DMN 1.1 to 1.5.
    """
    if len(data) > MOST_BYTES:
        findings.add(None, "too_large", f"The file is larger than {MOST_BYTES} bytes.", "Split the model.")
        findings.refuse()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, attribute_defaults=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        line = getattr(fault, "lineno", None) or 1
        finding = DecisionFinding(
            findings.file, line, "definitions", "decisions.xml", "The file is not well-formed XML.", "Mend its syntax."
        )
        raise DecisionRefused((finding,)) from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        findings.add(root, "doctype", "The file declares a document type.", "Remove <!DOCTYPE …>.")
    namespace = etree.QName(root).namespace or ""
    if tag(root) != "definitions" or namespace not in MODEL_NAMESPACES:
        message = "The file is not a DMN 1.1 to 1.5 model."
        findings.add(root, "namespace", message, "Save it as DMN 1.1 or later.")
    findings.refuse()
    return root


def line_of(element: Element) -> int:
    """Return the line on which the element begins, from 1."""
    return int(getattr(element, "sourceline", None) or 1)


def tag(element: Element) -> str:
    """Return the element's local name."""
    return etree.QName(element).localname


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield the DMN children of ``element`` with one of ``names``, or all of them."""
    for one in element:
        known = isinstance(one.tag, str) and (etree.QName(one).namespace or "") in MODEL_NAMESPACES
        if known and (not names or tag(one) in names):
            yield one


def child(element: Element, *names: str) -> Element | None:
    """Return the first such child, or None."""
    return next(children(element, *names), None)


def text_of(element: Element | None) -> str:
    """Return the content of the element's ``text`` child, or an empty text."""
    if element is None:
        return ""
    inner = child(element, "text")
    return "" if inner is None else "".join(str(part) for part in inner.itertext())


def name_of(element: Element | None) -> str:
    """Return the element's name with single spaces, or an empty text."""
    return "" if element is None else " ".join((element.get("name") or "").split())
