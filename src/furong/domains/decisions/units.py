"""The files of a model: the one that was asked for and those it imports, each read once (DMN 1.5, 6.3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from furong.domains.decisions.elements import ELEMENTS
from furong.domains.decisions.item_types import ItemTypes
from furong.domains.decisions.reading import (
    MODEL_NAMESPACES,
    Element,
    Findings,
    children,
    name_of,
    read_xml,
    tag,
)

__all__ = ["Resolve", "Unit", "read_units"]

# From namespace and location to the name and the bytes of the file that is meant; None where there is none.
Resolve = Callable[[str, str], "tuple[str, bytes] | None"]

_MOST_UNITS = 30


@dataclass(slots=True)
class Unit:
    """One file: its elements, its types, and what it calls the files that it imports."""

    root: Element
    namespace: str
    file: str
    findings: Findings
    is_main: bool
    types: ItemTypes = field(init=False)
    imports: dict[str, Unit] = field(default_factory=dict)  # by the name that this file gives them
    names: dict[str, str] = field(default_factory=dict)  # of its elements, by id

    def __post_init__(self) -> None:
        self.types = ItemTypes(self.root, self.findings, {name: one.types for name, one in self.imports.items()})

    def key(self, name: str) -> str:
        """The name of one of its elements within the whole model."""
        return name if self.is_main else f"{self.namespace}#{name}"

    def find(self, namespace: str) -> Unit | None:
        """This file, or the one it imports, that has ``namespace``; without one, this file."""
        if namespace in ("", self.namespace):
            return self
        return next((one for one in self.imports.values() if one.namespace == namespace), None)

    def alias(self, other: Unit) -> str | None:
        """What this file calls ``other``; None for itself."""
        return next((name for name, one in self.imports.items() if one is other), None)


def read_units(data: bytes, *, file: str, lenient: bool, resolve: Resolve | None) -> list[Unit]:
    """Read a file and what it imports, each after those that it needs, so that it comes last.

    Raises ``DecisionRefused``: for what is no DMN at once, for imports that lead in a circle or nowhere with the rest.
    """
    reader = _Reader(lenient, resolve)
    reader.read(data, file, is_main=True, main=Findings(file, lenient))
    return reader.done


class _Reader:
    def __init__(self, lenient: bool, resolve: Resolve | None) -> None:
        self.done: list[Unit] = []
        self._lenient = lenient
        self._resolve = resolve
        self._reading: list[str] = []

    def read(self, data: bytes, file: str, *, is_main: bool, main: Findings) -> Unit:
        findings = main if is_main else Findings(file, self._lenient, main.found, main.faults)
        root = read_xml(data, findings)
        namespace = root.get("namespace", "")
        for one in children(root):
            if tag(one) not in ELEMENTS:
                mend = "Remove it, or express it as a decision."
                findings.add(one, "element", f"<{tag(one)}> is not run here.", mend)
        self._reading.append(namespace)
        imports: dict[str, Unit] = {}
        for one in children(root, "import"):
            unit = self._import(one, findings, main)
            if unit is not None:
                name = name_of(one)
                if name in imports:
                    findings.add(one, "import", f"Two imports have the name {name!r}.", "Name each its own.")
                imports[name] = unit
        self._reading.pop()
        made = Unit(root, namespace, file, findings, is_main, imports=imports)
        self.done.append(made)
        return made

    def _import(self, element: Element, findings: Findings, main: Findings) -> Unit | None:
        namespace, location = element.get("namespace", ""), element.get("locationURI", "")
        kind = element.get("importType", "")
        if kind not in MODEL_NAMESPACES and f"{kind}/" not in MODEL_NAMESPACES:
            message, mend = f"Imports of {kind or 'no type'} are not run here.", "Import DMN, or write it in this file."
            findings.add(element, "import", message, mend, local=True)
            return None
        done = next((one for one in self.done if one.namespace == namespace), None)
        if done is not None:
            return done
        if namespace in self._reading:
            findings.add(element, "import_cycle", "The imports lead in a circle.", "Untie it.")
            return None
        if len(self.done) + len(self._reading) >= _MOST_UNITS:
            findings.add(element, "import", f"More than {_MOST_UNITS} files are imported.", "Join some.")
            return None
        found = self._resolve(namespace, location) if self._resolve is not None else None
        if found is None:
            message = f"No file with the namespace {namespace!r} is at hand."
            findings.add(element, "import", message, "Put the imported file into the same folder.")
            return None
        return self.read(found[1], found[0], is_main=False, main=main)
