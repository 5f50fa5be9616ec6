"""How ``domains.services`` plans an application: items, form and prefill become what a case pins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import ports, prefilling
from furong.domains.cases.errors import ItemNotOffered, NobodyResponsible
from furong.domains.cases.ports import CheckedAnswers
from furong.domains.cases.values.clock import DayUnit
from furong.domains.cases.values.drafts import FieldDescription, FormDescription
from furong.domains.cases.values.plans import Answer, ApplicationPlan, ConsentPlan, ItemPlan
from furong.domains.services import bodies
from furong.domains.services import queries as services
from furong.domains.services.errors import FormMissing, ItemMissing, LifeEventMissing
from furong.domains.services.forms.compile import CompiledForm
from furong.domains.services.forms.conditions import nested
from furong.domains.services.values.closures import Closure
from furong.domains.services.values.forms import Form, FormField
from furong.domains.services.values.implementations import ImplementationList
from furong.domains.services.values.items import Item, ProjectType
from furong.domains.services.values.prefill import Prefilled, Subject
from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.leases import Leased
from furong.foundation.feel import CompiledExpression, compile_expression
from furong.foundation.organizations.values import Organization
from furong.foundation.packs import queries as packs
from furong.foundation.packs.errors import DefinitionMissing
from furong.foundation.packs.values import Text


class ServicesPlanner:
    """The planner over ``domains.services``; it holds nothing."""

    def form_digest(self, *, life_event_code: str, item_codes: Sequence[str], on: date) -> str:
        """Return the digest of the form in force: the event's closure, or the item's own form."""
        try:
            if life_event_code:
                return services.get_life_event(code=life_event_code, on=on).digest
            return services.get_closure(code=_single(item_codes), on=on).form
        except (ItemMissing, LifeEventMissing) as missing:
            raise ItemNotOffered from missing

    def describe_form(self, *, digest: str, item_codes: Sequence[str], on: date) -> FormDescription:
        """Describe a form's version for the migration of drafts; a version nobody keeps has no fields."""
        form = self._form(digest, item_codes, on)
        if form is None:
            return FormDescription(digest=digest, fields={})
        described: dict[str, FieldDescription] = {}
        for page in form.pages:
            for group in page.groups:
                if group.repeat is not None:
                    code = str(group.repeat.element)
                    described[code] = FieldDescription(
                        key=code,
                        label=group.title.as_dict() if group.title else page.title.as_dict(),
                        page=page.code,
                        element=code,
                        required=group.repeat.minimum > 0,
                        shape="|".join(sorted(_shape(f) for f in group.fields)),
                    )
                    continue
                for one in group.fields:
                    if one.is_asked or one.prefill == "ask":
                        described[str(one.element)] = FieldDescription(
                            key=str(one.element),
                            label=one.label.as_dict(),
                            page=page.code,
                            element=str(one.element),
                            required=one.required and one.is_asked,
                            shape=_shape(one),
                        )
        return FormDescription(digest=digest, fields=described)

    def check(
        self,
        *,
        digest: str,
        item_codes: Sequence[str],
        answers: Mapping[str, Any],
        known: Mapping[str, Answer],
        on: date,
        now: datetime,
    ) -> CheckedAnswers:
        """Check a whole draft as if every page were sent now, and keep the answers that still apply."""
        compiled = self._compiled(digest, item_codes, on)
        if compiled is None:
            return CheckedAnswers(by_element={})
        held = {
            code: Prefilled(element=code, value=a.value, source=_text(a.source_label), legal_basis=a.legal_basis)
            for code, a in known.items()
        }
        problems: dict[str, list[str]] = {}
        for problem in compiled.problems(answers, held, now):
            problems.setdefault(problem.element, []).append(problem.message)
        if problems:
            return CheckedAnswers(problems=problems)
        return CheckedAnswers(by_element=compiled.settled(answers, held, now))

    def prefill(
        self,
        *,
        life_event_code: str,
        item_codes: Sequence[str],
        answers: Mapping[str, Any],
        actor: Actor,
        basis: Basis,
        on: date,
        now: datetime,
    ) -> Mapping[str, Answer]:
        """Ask the registers for everything that the form shows and the items' departments need."""
        wanted: list[str] = []
        items = list(self._items(life_event_code, item_codes, on))
        for item in items:
            wanted += [str(e) for e in item.inputs]
            if item.once_for is not None:
                wanted.append(str(item.once_for))
        form = self._form(
            self.form_digest(life_event_code=life_event_code, item_codes=item_codes, on=on), item_codes, on
        )
        if form is not None:
            wanted += [str(f.element) for f in form.fields() if f.prefill is not None]
        with ports.asked_once():
            found = services.prefill(
                elements=wanted, subject=subject_of(actor, now), actor=actor, basis=basis, on=on, now=now
            )
        found |= prefilling.earlier_results(
            elements=wanted,
            without=[item.code for item in items],
            known={code: p.value for code, p in found.items()},
            on=on,
            actor=actor,
            basis=basis,
            now=now,
        )
        return {
            code: Answer(
                value=p.value,
                source="register",
                source_label=p.source.as_dict(),
                legal_basis=p.legal_basis,
            )
            for code, p in found.items()
            if p.value not in (None, "")
        }

    def serves(self, *, life_event_code: str, item_codes: Sequence[str], kind: str, on: date) -> bool:
        """Tell whether every item has ``kind`` among its service objects; officials apply as persons."""
        kinds = {kind, "official"} if kind == "person" else {kind}
        try:
            return all(kinds & set(item.service_objects) for item in self._items(life_event_code, item_codes, on))
        except (ItemMissing, LifeEventMissing) as missing:
            raise ItemNotOffered from missing

    def responsible(
        self, *, item_code: str, department: str, division_code: str, answers: Mapping[str, Any], on: date
    ) -> tuple[UUID, str] | None:
        """Return the body of a department that the item's rule of jurisdiction names for these answers."""
        place = place_of(item_code, answers, on) or division_code
        try:
            item = services.get_item(code=item_code, on=on).item
        except ItemMissing:
            return None
        found = _responsible(item if item.department == department else replace(item, department=department), place)
        return (found.id, place) if found is not None else None

    def plan(
        self,
        *,
        life_event_code: str,
        item_codes: Sequence[str],
        division_code: str,
        answers: Mapping[str, Any],
        on: date,
    ) -> ApplicationPlan:
        """Say which cases the application makes: of each item the responsible body, limits and definitions."""
        try:
            if not life_event_code:
                code = _single(item_codes)
                closure = services.get_closure(code=code, on=on)
                impl, organization, place = _implemented(code, division_code, answers, on)
                return ApplicationPlan(
                    title=impl.item.name.as_dict(),
                    form_digest=closure.form,
                    items=(_item_plan(impl, organization, place, closure, requires=(), on=on),),
                )
            event = services.get_life_event(code=life_event_code, on=on)
        except (ItemMissing, LifeEventMissing) as missing:
            raise ItemNotOffered from missing
        chosen = list(item_codes) or None
        needs = services.get_needs(event=event, chosen=chosen, on=on)
        plans = []
        for code in event.event.item_codes(chosen):
            impl, organization, place = _implemented(code, division_code, answers, on)
            plans.append(
                _item_plan(impl, organization, place, event.closures[code], requires=needs.get(code, ()), on=on)
            )
        return ApplicationPlan(
            life_event_code=life_event_code,
            title=event.event.name.as_dict(),
            form_digest=event.digest,
            items=tuple(plans),
        )

    def _items(self, life_event_code: str, item_codes: Sequence[str], on: date) -> Iterable[Item]:
        if not life_event_code:
            return [services.get_item(code=_single(item_codes), on=on).item]
        event = services.get_life_event(code=life_event_code, on=on)
        return [event.items[code] for code in event.event.item_codes(list(item_codes) or None)]

    def _form(self, digest: str, item_codes: Sequence[str], on: date) -> Form | None:
        compiled = self._compiled(digest, item_codes, on)
        return compiled.form if compiled is not None else None

    def _compiled(self, digest: str, item_codes: Sequence[str], on: date) -> CompiledForm | None:
        if not digest:
            return None
        try:
            event = services.get_pinned_life_event(digest=digest, on=on)
        except (DefinitionMissing, ValueError, KeyError):
            try:
                return services.get_compiled_form(digest=digest)
            except FormMissing:
                return None
        return services.get_life_event_form(event=event, chosen=list(item_codes) or None)


def subject_of(actor: Actor, now: datetime) -> Subject:
    """Say whom a form is about: who applies, or the person they act for, and the other parent."""
    person_id: UUID | None = actor.person_id
    if actor.principal is not None and actor.principal.kind == "person":
        person_id = actor.principal.id
    return prefilling.subject_of(person_id=person_id, account_id=actor.account_id, now=now)


def _single(item_codes: Sequence[str]) -> str:
    if len(item_codes) != 1:
        raise ItemNotOffered
    return item_codes[0]


def _implemented(
    code: str, division_code: str, answers: Mapping[str, Any], on: date
) -> tuple[ImplementationList, Organization, str]:
    """The item as the responsible body does it, that body, and the place by which it is responsible."""
    basic = services.get_item(code=code, division_code=division_code, on=on)
    place = place_of(code, answers, on) or division_code
    organization = _responsible(basic.item, place)
    if organization is None:
        raise NobodyResponsible
    impl = bodies.get_implementation(code=code, organization=organization, on=on).found
    return impl, organization, place


# Which body is responsible for a place hardly ever changes and is asked for every item of every application.
_bodies: Leased[Organization | None] = Leased(seconds=1.0, most=10_000)


def _responsible(item: Item, division_code: str) -> Organization | None:
    return _bodies.get(
        (item.department, item.levels, item.divisions, division_code),
        lambda: bodies.find_body(item=item, division_code=division_code),
    )


def place_of(item_code: str, answers: Mapping[str, Any], on: date) -> str:
    """Return the division by which a body is responsible, as the pack's rule says; empty without a rule."""

    def make() -> dict[str, CompiledExpression]:
        releases = packs.list_current_releases(kind="jurisdiction", on=on)
        rules = [packs.get_value(kind="jurisdiction", digest=release.digest) for release in releases]
        return {item: compile_expression(place) for item, place in reversed(rules)}

    rule = packs.derive("cases.jurisdictions", on=on, make=make).get(item_code)
    return str(rule.evaluate(nested(answers)) or "") if rule is not None else ""


def _item_plan(
    impl: ImplementationList,
    organization: Organization,
    place: str,
    closure: Closure,
    *,
    requires: Iterable[str],
    on: date,
) -> ItemPlan:
    item = impl.item
    clock = item.clock
    promised = clock.effective if clock is not None else None
    remedies: tuple[Mapping[str, str], ...] = ()
    if item.remedies is not None:
        remedies = (item.remedies.reconsideration.as_dict(), item.remedies.litigation.as_dict())
    return ItemPlan(
        code=item.code,
        name=item.name.as_dict(),
        result_name=item.result.name.as_dict(),
        department=item.department,
        organization_id=organization.id,
        division_code=place,
        closure_digest=closure.digest,
        process_digest=closure.process,
        promised_days=promised.days if promised is not None else 0,
        statutory_days=clock.statutory.days if clock is not None else 0,
        unit=DayUnit(promised.unit.value) if promised is not None else DayUnit.WORKING,
        statutory_unit=DayUnit(clock.statutory.unit.value) if clock is not None else DayUnit.WORKING,
        requires=tuple(str(code) for code in requires),
        visible_elements=frozenset(str(e) for e in item.inputs),
        output_elements=frozenset(str(e) for e in item.outputs),
        legal_basis="；".join(f"{b.law.primary}{b.clause.primary}" for b in item.legal_basis),
        remedies=remedies,
        consents=tuple(consents_of(item.code, on)),
        immediate=item.project_type is ProjectType.IMMEDIATE,
        once_for=str(item.once_for or ""),
        procedures=tuple(
            {
                "code": p.code,
                "name": p.name.as_dict(),
                "legal_basis": "；".join(f"{b.law.primary}{b.clause.primary}" for b in p.legal_basis),
                "days": p.limit.days,
            }
            for p in item.special_procedures
        ),
    )


def consents_of(item_code: str, on: date) -> list[ConsentPlan]:
    """Return the consents that an item needs on a day, as the pack defines them."""

    def make() -> list[ConsentPlan]:
        releases = packs.list_current_releases(kind="consent", on=on)
        found = [packs.get_value(kind="consent", digest=r.digest) for r in releases]
        return [consent for item, consent in found if item == item_code]

    return packs.derive(("cases.consents", item_code), on=on, make=make)


def _shape(one: FormField) -> str:
    return repr(
        (
            one.type.value,
            sorted(o.code for o in one.options),
            one.code_table,
            one.min_length,
            one.max_length,
            one.minimum,
            one.maximum,
            one.pattern,
            one.accept,
            one.max_mb,
        )
    )


def _text(label: Mapping[str, str]) -> Text:
    return Text.of(label or {"zh": ""})
