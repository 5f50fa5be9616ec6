"""Item definitions and ``typeRef``: what a value must be (DMN 1.5, 7.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from furong.domains.decisions.reading import Element, Findings, child, children, text_of
from furong.foundation.feel import FeelSyntaxError
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.types import SIMPLE_TYPES, type_check
from furong.foundation.feel.unary import Test

__all__ = ["ItemType", "ItemTypes"]


@dataclass(frozen=True, slots=True)
class ItemType:
    """A type: its check, and whether it is a list (so that a single value may stand for a list of one, and back)."""

    name: str
    fits: Callable[[object], bool]
    is_list: bool = False

    def coerce(self, value: object) -> tuple[object, bool]:
        """Return the value as this type has it, and whether it fits; null fits every type (10.3.2.9.4)."""
        if value is None or self.fits(value):
            return value, True
        if isinstance(value, list) and len(value) == 1 and self.fits(value[0]):
            return value[0], True
        if self.is_list and self.fits([value]):
            return [value], True
        return None, False


class ItemTypes:
    """The item definitions of one model."""

    def __init__(self, root: Element, findings: Findings) -> None:
        self._findings = findings
        self._elements: dict[str, Element] = {}
        self._made: dict[str, ItemType] = {}
        self._making: set[str] = set()
        self.spellings: set[str] = set()
        for one in children(root, "itemDefinition"):
            name = one.get("name", "")
            if not name or name in self._elements:
                findings.add(one, "item_name", "The item definition has no name of its own.", "Give it one.")
            self._elements[name] = one
        for one in root.iter("{*}itemComponent"):
            self.spellings.add(one.get("name", ""))
        for name in self._elements:
            self.get(name, self._elements[name])

    def get(self, reference: str | None, at: Element) -> ItemType | None:
        """Return the type that ``reference`` names; None for no type or ``Any``. Notes an unknown one."""
        if reference is None:
            return None
        name = reference.strip()
        if name in self._made:
            return self._made[name]
        if name in self._elements:
            if name in self._making:
                self._findings.add(at, "item_cycle", f"The item definition {name!r} contains itself.", "Untie it.")
                return None
            self._making.add(name)
            made = self._definition(self._elements[name])
            self._making.discard(name)
            self._made[name] = made
            return made
        local = name.rpartition(":")[2] if name.startswith("feel:") else name
        if local in ("Any", "Undefined", "<Undefined>"):
            return None
        if local in SIMPLE_TYPES:
            return ItemType(local, type_check(local), local == "list")
        self._findings.add(at, "type_unknown", f"There is no type {name!r}.", "Define it, or use a FEEL type.")
        return None

    def _definition(self, element: Element) -> ItemType:
        name = element.get("name", "")
        components: dict[str, ItemType | None] = {}
        for one in children(element, "itemComponent"):
            components[one.get("name", "")] = self._definition(one)
        reference = child(element, "typeRef")
        inner: Callable[[object], bool]
        if components:
            inner = _context_check(components)
        elif reference is not None:
            base = self.get((reference.text or "").strip(), reference)
            inner = base.fits if base is not None else (lambda value: True)
        elif child(element, "functionItem") is not None:
            inner = type_check("function")
        else:
            inner = lambda value: True  # noqa: E731  a type that says nothing allows everything
        allowed = child(element, "allowedValues", "typeConstraint")
        if allowed is not None:
            inner = self._allowed(inner, allowed)
        if element.get("isCollection") == "true":
            return ItemType(name, _list_check(inner), True)
        return ItemType(name, inner)

    def _allowed(self, inner: Callable[[object], bool], element: Element) -> Callable[[object], bool]:
        program = Program(known_names=())
        try:
            test, _ = program.unary_tests(text_of(element))
        except FeelSyntaxError as fault:
            self._findings.add(element, "feel", f"Its allowed values are not FEEL: {fault}", "Mend the expression.")
            return inner
        return _allowed_check(inner, program, test)


def _allowed_check(inner: Callable[[object], bool], program: Program, test: Test) -> Callable[[object], bool]:
    return lambda value: inner(value) and test(program.environment({}, None, []), value) is True


def _list_check(inner: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(one is None or inner(one) for one in value)


def _context_check(components: Mapping[str, ItemType | None]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, dict):
            return False
        for key, component in components.items():
            found = value.get(key)
            if found is not None and component is not None and not component.fits(found):
                return False
        return True

    return check
