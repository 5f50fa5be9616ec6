"""Life events: items composed into one application with one form, where each element is asked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from furong.domains.catalogue.values import DataElement, SourceKind
from furong.domains.services.errors import NeedsCycle
from furong.domains.services.values.forms import Form, FormCheck, FormField, Group, Option, Page, Prefill
from furong.domains.services.values.items import Item
from furong.foundation.packs.values import (
    CODE,
    Bool,
    Day,
    Expression,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Ref,
    RefTo,
    Text,
    Texts,
    optional,
    record,
    required,
)

N = TypeVar("N", int, Decimal)

# The stages of life of 国办发〔2025〕24号, for persons and for enterprises.
STAGES = (
    "birth",
    "education",
    "employment",
    "life",
    "housing",
    "travel",
    "health",
    "assistance",
    "old_age",
    "death",
    "market_entry",
    "operation",
    "taxation",
    "staffing",
    "construction",
    "deregistration",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventItem:
    """An item of a life event. Without ``required`` the person may leave it out."""

    item: Ref
    required: bool = True
    needs: tuple[Ref, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """A page of the merged form, in its place; pages of items with this code are merged into it."""

    code: str
    title: Text
    intro: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventForm:
    title: Text
    pages: tuple[EventPage, ...] = ()
    declaration: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEvent:
    """A matter of life (一件事). ``lead`` is the role of the department that answers for the whole."""

    code: str
    name: Text
    summary: Text
    stage: str
    audience: str
    lead: str
    items: tuple[EventItem, ...]
    form: EventForm
    in_force_from: date | None = None
    order: int = 100
    line: int = field(default=0, compare=False)

    def item_codes(self, chosen: Iterable[str] | None = None) -> tuple[str, ...]:
        """Give the codes of the items, of the required and the ``chosen`` ones when given."""
        wanted = None if chosen is None else set(chosen)
        return tuple(str(e.item) for e in self.items if wanted is None or e.required or e.item in wanted)


EVENT = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=100)),
        "summary": required(Texts(max_length=600)),
        "stage": required(OneOf(values=STAGES)),
        "audience": required(OneOf(values=("person", "enterprise"))),
        "lead": required(CODE),
        "order": optional(Int(0, 10_000), 100),
        "in_force_from": optional(Day()),
        "items": required(
            ListOf(
                MapOf(
                    {
                        "item": required(RefTo(pattern=r"[a-z][a-z0-9_]*")),
                        "required": optional(Bool(), True),
                        "needs": optional(ListOf(RefTo(pattern=r"[a-z][a-z0-9_]*"), unique=""), list),
                    },
                    build=record(EventItem),
                ),
                minimum=1,
                unique="item",
            )
        ),
        "form": required(
            MapOf(
                {
                    "title": required(Texts(max_length=200)),
                    "pages": optional(
                        ListOf(
                            MapOf(
                                {
                                    "code": required(CODE),
                                    "title": required(Texts(max_length=200)),
                                    "intro": optional(Texts(max_length=1000)),
                                },
                                build=record(EventPage),
                            ),
                            unique="code",
                        ),
                        list,
                    ),
                    "declaration": optional(Texts(max_length=1000)),
                },
                build=record(EventForm),
            )
        ),
    },
    build=record(LifeEvent),
)


# --- which item waits for which ---------------------------------------------------------------------------------------


def needs_of(
    event: LifeEvent,
    items: Mapping[str, Item],
    elements: Mapping[str, DataElement],
    chosen: Iterable[str] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Give, for each item of the event, the items of the event that must end before it can start.

    An item needs another when one of its inputs is the other's output (the element's one source), or when the event says so.
    Items that were not chosen are left out: their results come from the registers then.
    """
    codes = event.item_codes(chosen)
    said = {str(e.item): e.needs for e in event.items}
    result: dict[str, tuple[str, ...]] = {}
    for code in codes:
        item = items.get(code)
        needed = [str(n) for n in said.get(code, ())]
        for element_code in item.inputs if item else ():
            element = elements.get(element_code)
            if element is not None and element.source.kind is SourceKind.ITEM:
                needed.append(element.source.name)
        result[code] = tuple(dict.fromkeys(n for n in needed if n in codes and n != code))
    return result


def find_cycle(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Give a cycle of needs as a path that ends where it began, or nothing."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        todo: list[tuple[str, int]] = [(start, 0)]
        while todo:
            code, index = todo.pop()
            if index == 0:
                if code in path:
                    return (*path[path.index(code) :], code)
                if code in done:
                    continue
                path.append(code)
            following = needs.get(code, ())
            if index < len(following):
                todo.append((code, index + 1))
                todo.append((following[index], 0))
            else:
                done.add(code)
                path.pop()
    return ()


def in_order_of_needs(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Sort items so that each comes after those it needs; equal ones stay as they are. Raises `NeedsCycle`."""
    if cycle := find_cycle(needs):
        raise NeedsCycle(path=" → ".join(cycle))
    result: list[str] = []
    while len(result) < len(needs):
        result.append(
            next(c for c in needs if c not in result and all(n in result or n not in needs for n in needs[c]))
        )
    return result


# --- one form of many ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two items want the same element differently, so that it cannot be asked once."""

    first: FormField
    second: FormField
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """The merged form, and which items each element is for. ``conflicts`` is empty in a checked pack."""

    form: Form
    items: tuple[str, ...]
    used_by: Mapping[str, tuple[str, ...]]
    conflicts: tuple[Conflict, ...] = ()


def compose(event: LifeEvent, forms: Mapping[str, Form], chosen: Iterable[str] | None = None) -> Composition:
    """Merge the forms of the event's items (of the chosen ones) into one, in which every element stands once.

    Pages with the same code become one, in the event's order; a field that several items want keeps its first place and the
    strictest of their rules. ``forms`` is by item code; an item without a form adds nothing.
    """
    codes = event.item_codes(chosen)
    conflicts: list[Conflict] = []
    used_by: dict[str, list[str]] = {}
    merged: dict[str, FormField] = {}
    pages: dict[str, list[Group]] = {page.code: [] for page in event.form.pages}
    titles: dict[str, Page] = {}
    checks: list[FormCheck] = []
    for code in codes:
        form = forms.get(code)
        if form is None:
            continue
        checks += [c for c in form.checks if c not in checks]
        for page in form.pages:
            titles.setdefault(page.code, page)
            groups = pages.setdefault(page.code, [])
            for group in page.groups:
                fresh: list[FormField] = []
                for one in group.fields:
                    used_by.setdefault(str(one.element), []).append(code)
                    condition = _both(page.show_if, group.show_if)
                    shown = replace(one, show_if=_both(condition, one.show_if))
                    known = merged.get(one.element)
                    if known is None:
                        merged[one.element] = shown
                        fresh.append(one)
                    else:
                        merged[one.element] = _merge(known, shown, conflicts)
                if fresh:
                    _add(groups, replace(group, fields=tuple(fresh), show_if=None))
    said = {page.code: page for page in event.form.pages}
    built = []
    for page_code, groups in pages.items():
        filled = [replace(g, fields=tuple(merged[f.element] for f in g.fields)) for g in groups]
        if not filled:
            continue
        title = said.get(page_code) or titles[page_code]
        built.append(Page(code=page_code, title=title.title, intro=title.intro, groups=tuple(filled)))
    return Composition(
        form=Form(
            code=event.code,
            title=event.form.title,
            pages=tuple(built),
            checks=tuple(checks),
            declaration=event.form.declaration,
        ),
        items=codes,
        used_by={element: tuple(dict.fromkeys(by)) for element, by in used_by.items()},
        conflicts=tuple(conflicts),
    )


def _add(groups: list[Group], group: Group) -> None:
    for index, known in enumerate(groups):
        same_repeat = (
            group.repeat is not None and known.repeat is not None and known.repeat.element == group.repeat.element
        )
        same_code = group.code is not None and known.code == group.code and known.repeat == group.repeat
        if same_repeat or same_code:
            groups[index] = replace(known, fields=(*known.fields, *group.fields))
            return
    groups.append(group)


def _both(first: Expression | None, second: Expression | None) -> Expression | None:
    if first is None or second is None or first == second:
        return first or second
    return Expression(f"({first.text}) and ({second.text})", second.line)


def _either(first: Expression | None, second: Expression | None) -> Expression | None:
    if first is None or second is None:
        return None
    return first if first == second else Expression(f"({first.text}) or ({second.text})", first.line)


def _merge(first: FormField, second: FormField, conflicts: list[Conflict]) -> FormField:
    if first.prefill != second.prefill:
        # what one item only shows is never asked by the merged form
        shown, other = (first, second) if first.prefill else (second, first)
        prefill: Prefill | None = Prefill.ASK if Prefill.ASK in {shown.prefill, other.prefill} else shown.prefill
    else:
        prefill = first.prefill
    if first.type != second.type:
        conflicts.append(Conflict(first=first, second=second, what="type"))
        return first
    if {o.code for o in first.options} != {o.code for o in second.options} or first.code_table != second.code_table:
        conflicts.append(Conflict(first=first, second=second, what="options"))
        return first
    if first.pattern and second.pattern and first.pattern != second.pattern:
        conflicts.append(Conflict(first=first, second=second, what="pattern"))
        return first
    if first.accept and set(first.accept).isdisjoint(second.accept):
        conflicts.append(Conflict(first=first, second=second, what="accept"))
        return first
    required_if = None if first.required or second.required else _either_required(first.require_if, second.require_if)
    return replace(
        first,
        prefill=prefill,
        hint=first.hint or second.hint,
        required=first.required or second.required,
        require_if=required_if,
        show_if=_either(first.show_if, second.show_if),
        options=tuple(_merge_option(o, second.options) for o in first.options),
        pattern=first.pattern or second.pattern,
        min_length=_strictest(first.min_length, second.min_length, max),
        max_length=_strictest(first.max_length, second.max_length, min),
        minimum=_strictest(first.minimum, second.minimum, max),
        maximum=_strictest(first.maximum, second.maximum, min),
        earliest=first.earliest or second.earliest,
        latest=first.latest or second.latest,
        accept=tuple(a for a in first.accept if a in second.accept),
        max_mb=_strictest(first.max_mb, second.max_mb, min),
        errors=tuple({**dict(second.errors), **dict(first.errors)}.items()),
        material=first.material or second.material,
    )


def _merge_option(option: Option, others: Iterable[Option]) -> Option:
    other = next(o for o in others if o.code == option.code)
    return replace(option, hint=option.hint or other.hint, show_if=_either(option.show_if, other.show_if))


def _either_required(first: Expression | None, second: Expression | None) -> Expression | None:
    return _either(first, second) if first and second else first or second


def _strictest(first: N | None, second: N | None, choose: object) -> N | None:
    if first is None or second is None:
        return second if first is None else first
    return max(first, second) if choose is max else min(first, second)
