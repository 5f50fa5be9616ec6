"""Compiles a form's definition to Django forms, a page at a time, that work without JavaScript.

A field whose condition depends on an earlier page is simply there or not. One that depends on an answer of the same page appears
when the page is sent: the page comes back with the further question, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from furong.domains.services.forms.conditions import context_of, holds, json_value, value_of
from furong.domains.services.forms.fields import DayField, UploadField, django_field
from furong.domains.services.forms.showing import Row, lazily, options_of, show
from furong.domains.services.values.forms import (
    FieldType,
    Form,
    FormField,
    Group,
    Page,
    Prefill,
    field_name,
)
from furong.domains.services.values.prefill import Prefilled

__all__ = [
    "SHOWN",
    "CompiledForm",
    "CompiledPage",
    "Divisions",
    "PageForm",
    "Prefilled",
    "Problem",
    "Row",
    "answers_of_repeat",
    "compile_form",
    "is_asked",
    "lazily",
    "options_of",
    "show",
]

SHOWN = "_shown"
Divisions = Callable[[], Sequence[tuple[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What keeps a form from being sent: the page and field to go to, and what to do there."""

    page: str
    element: str
    message: str


class PageForm(forms.Form):
    """One page, for one person: only the fields that apply. `answers` gives what a draft keeps once `is_valid`."""

    compiled: CompiledPage

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        answers: Mapping[str, Any] | None = None,
        prefill: Mapping[str, Prefilled] | None = None,
        oversized: Iterable[str] = (),
        now: datetime | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the page. ``answers`` are those of the whole form so far, ``prefill`` what registers hold, by element."""
        self.known_answers = dict(answers or {})
        self.prefill = dict(prefill or {})
        self.oversized = frozenset(oversized)
        self.now = now
        self.revealed: list[str] = []
        initial = {
            field_name(code): value for code, value in self.known_answers.items() if not isinstance(value, list)
        } | {field_name(c): v for c, v in self.known_answers.items() if isinstance(v, list)}
        kwargs.setdefault("initial", initial)
        # The facts of the page are those of the answers so far; what is being sent opens and closes questions.
        context = self.context = self._context(self.known_answers)
        applying = self._applying(context)
        if data is None:  # Django copies each field that it is given
            self.base_fields = {  # type: ignore[misc]  # the class keeps its own
                name: one for name, one in self.base_fields.items() if name in applying or name == SHOWN
            }
        super().__init__(data, files, **kwargs)  # type: ignore[arg-type]
        if typed := self._typed():
            context = self._context({**self.known_answers, **typed})
            applying = self._applying(context)
        self._settle(context, applying)
        if SHOWN in self.fields:
            self.fields[SHOWN].initial = " ".join(n for n in self.fields if n != SHOWN)

    # which questions there are

    def _known(self) -> dict[str, Any]:
        return {code: p.value for code, p in self.prefill.items()}

    def _context(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        return context_of(self.compiled.form, answers, self._known())

    def _typed(self) -> dict[str, Any]:
        """What was sent, as far as it is understood, so that conditions see it."""
        if not self.is_bound:
            return {}
        typed: dict[str, Any] = {}
        for one in self.compiled.page.fields():
            if one.name not in self.fields or not is_asked(one, self.prefill):
                continue
            bound = self.fields[one.name]
            raw = bound.widget.value_from_datadict(self.data, self.files, self.add_prefix(one.name))
            try:
                typed[str(one.element)] = bound.to_python(raw) if raw not in (None, "", []) else None
            except ValidationError:
                typed[str(one.element)] = None
            if isinstance(bound, forms.TypedChoiceField):
                typed[str(one.element)] = {"yes": True, "no": False}.get(str(raw))
        return typed

    def _applying(self, context: Mapping[str, Any]) -> set[str]:
        """The names of the fields that are asked for where the conditions see ``context``."""
        return {
            one.name
            for group in self.compiled.page.groups
            if holds(group.show_if, context, now=self.now)
            for one in group.fields
            if is_asked(one, self.prefill) and holds(one.show_if, context, now=self.now)
        }

    def _settle(self, context: Mapping[str, Any], applying: Set[str]) -> None:
        sent = self.data.get(self.add_prefix(SHOWN)) if self.is_bound else None
        was_shown = None if sent is None else set(str(sent).split())
        for group in self.compiled.page.groups:
            for one in group.fields:
                if one.name not in self.fields:
                    continue
                if one.name not in applying:
                    del self.fields[one.name]
                    continue
                made = self.fields[one.name]
                if one.require_if is not None:
                    made.required = holds(one.require_if, context, now=self.now)
                    if not isinstance(made, forms.MultiValueField):
                        made.widget.is_required = made.required
                self._narrow(one, made, context)
                if was_shown is not None and one.name not in was_shown and made.required:
                    self.revealed.append(one.name)

    def _narrow(self, one: FormField, made: forms.Field, context: Mapping[str, Any]) -> None:
        if isinstance(made, forms.ChoiceField) and any(o.show_if for o in one.options):
            hidden = {o.code for o in one.options if not holds(o.show_if, context, now=self.now)}
            shown: Any = made.choices
            made.choices = [c for c in shown if c[0] not in hidden]
        if isinstance(made, DayField):
            made.earliest = value_of(one.earliest, context, now=self.now)  # type: ignore[attr-defined]
            made.latest = value_of(one.latest, context, now=self.now)  # type: ignore[attr-defined]

    # what was answered

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.revealed:
            if self.errors.pop(name, None) is not None:
                self.add_error(name, ValidationError(_("Your answer opens one more question."), code="revealed"))
        for name in self.oversized:
            made = self.fields.get(name)
            if isinstance(made, UploadField):
                self.errors.pop(name, None)
                self.add_error(
                    name,
                    ValidationError(made.error_messages["too_large"], code="too_large", params={"max_mb": made.max_mb}),
                )
        for name, made in self.fields.items():
            value = cleaned.get(name)
            if isinstance(made, DayField) and isinstance(value, date):
                self._check_day(name, made, value)
        context = self._context({**self.known_answers, **self._cleaned_values()})
        mine = {str(f.element) for f in self.compiled.page.fields()}
        for check in self.compiled.form.checks:
            name = field_name(check.element)
            if (
                check.element in mine
                and name in self.fields
                and not self.has_error(name)
                and cleaned.get(name) not in (None, "")
                and not holds(check.ensure, context, now=self.now)
            ):
                self.add_error(name, ValidationError(check.message.pick(get_language()), code="check"))
        return cleaned

    def _check_day(self, name: str, made: DayField, value: date) -> None:
        for code, limit in (("too_early", made.earliest), ("too_late", made.latest)):  # type: ignore[attr-defined]
            if not isinstance(limit, date):
                continue
            limit = limit.date() if isinstance(limit, datetime) else limit
            if (code == "too_early" and value < limit) or (code == "too_late" and value > limit):
                self.add_error(
                    name,
                    ValidationError(made.error_messages[code], code=code, params={"limit": limit.isoformat()}),
                )

    def _cleaned_values(self) -> dict[str, Any]:
        return {
            name.replace("-", "."): value
            for name, value in self.cleaned_data.items()
            if name != SHOWN and not isinstance(value, UploadedFile)
        }

    def answers(self) -> dict[str, Any]:
        """Give the page's answers by element, as JSON keeps them; uploads are in `uploads`. Fields that do not apply are None.

        Merge it into the draft: a None removes what an earlier answer had left there.
        """
        given: dict[str, Any] = {
            str(one.element): None
            for one in self.compiled.single()
            if one.type is not FieldType.UPLOAD and one.prefill is not Prefill.SHOW
        }
        for code, value in self._cleaned_values().items():
            given[code] = None if value in ("", []) else json_value(value)
        for one in self.compiled.single():
            if one.type is FieldType.UPLOAD and one.name not in self.fields:
                given[str(one.element)] = None
        return {k: v for k, v in given.items() if not isinstance(v, UploadedFile)}

    def uploads(self) -> dict[str, UploadedFile[Any]]:
        """Give the files that were sent and are sound, by element; the caller stores them."""
        return {
            name.replace("-", "."): value
            for name, value in getattr(self, "cleaned_data", {}).items()
            if isinstance(value, UploadedFile)
        }

    def shown(self) -> list[Row]:
        """List the facts of this page that registers hold: they are shown with their source and not asked."""
        return self.compiled.shown(self.prefill, self.context, now=self.now)


def is_asked(one: FormField, prefill: Mapping[str, Prefilled]) -> bool:
    """Say whether this person is asked: not what a register supplies, and not what is only ever shown."""
    if one.prefill is None:
        return True
    found = prefill.get(one.element)
    held = found is not None and found.value not in (None, "")
    return one.prefill is Prefill.ASK and not held


@dataclass(frozen=True, kw_only=True)
class CompiledPage:
    """A page of a compiled form. ``form_class`` has every field of the page; `bind` leaves those that apply."""

    form: Form
    page: Page
    form_class: type[PageForm]
    repeats: Mapping[str, type[forms.BaseFormSet[forms.Form]]] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.page.code

    def single(self) -> list[FormField]:
        """List the page's fields that do not repeat."""
        return [one for group in self.page.groups if group.repeat is None for one in group.fields]

    @property
    def title(self) -> str:
        return self.page.title.pick(get_language())

    @property
    def intro(self) -> str:
        return "" if self.page.intro is None else self.page.intro.pick(get_language())

    def bind(
        self,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        answers: Mapping[str, Any] | None = None,
        prefill: Mapping[str, Prefilled] | None = None,
        oversized: Iterable[str] = (),
        now: datetime | None = None,
    ) -> PageForm:
        """Make the page's Django form for one person, empty, from a draft, or with what was sent."""
        return self.form_class(
            data, files, answers=answers, prefill=prefill, oversized=oversized, now=now, auto_id="id_%s"
        )

    def bind_repeats(
        self, data: Mapping[str, Any] | None = None, *, answers: Mapping[str, Any] | None = None
    ) -> dict[str, forms.BaseFormSet[forms.Form]]:
        """Make the formsets of the page's repeating groups, by the element that holds their list."""
        result = {}
        for element, made in self.repeats.items():
            rows = (answers or {}).get(element) or []
            initial = [{field_name(c): v for c, v in row.items()} for row in rows]
            result[element] = made(data, initial=initial, prefix=field_name(element))
        return result

    def applies(
        self,
        answers: Mapping[str, Any],
        prefill: Mapping[str, Prefilled],
        context: Mapping[str, Any],
        now: datetime | None = None,
    ) -> bool:
        """Say whether this person sees the page: its condition holds and something on it is asked or shown.

        ``context`` is `CompiledForm.context` of the answers.
        """
        if not holds(self.page.show_if, context, now=now):
            return False
        for group in self.page.groups:
            if group.repeat is None and group.show_if is None:
                for one in group.fields:
                    found = prefill.get(one.element)
                    held = one.prefill is not None and found is not None and found.value not in (None, "")
                    if one.show_if is None and (held or is_asked(one, prefill)):
                        return True  # without making the page's form: most pages have a field without a condition
        bound = self.bind(answers=answers, prefill=prefill, now=now)
        return len(bound.fields) > 1 or bool(self.repeats) or bool(bound.shown())

    def shown(
        self, prefill: Mapping[str, Prefilled], context: Mapping[str, Any], now: datetime | None = None
    ) -> list[Row]:
        """List the page's facts that registers hold, where its conditions hold in ``context``."""
        rows, language = [], get_language()
        for group in self.page.groups:
            if not holds(group.show_if, context, now=now):
                continue
            for one in group.fields:
                found = prefill.get(one.element)
                if (
                    one.prefill is None
                    or found is None
                    or found.value in (None, "")
                    or not holds(one.show_if, context, now=now)
                ):
                    continue
                rows.append(
                    Row(
                        element=str(one.element),
                        label=one.label.pick(language),
                        shown=show(one, found.value),
                        source=found.source.pick(language),
                        page=self.code,
                        is_asked=False,
                    )
                )
        return rows


@dataclass(frozen=True, kw_only=True)
class CompiledForm:
    """A form ready to use. ``digest`` is the definition's (or the life event's closure), kept with each draft."""

    form: Form
    digest: str
    pages: tuple[CompiledPage, ...]

    @property
    def title(self) -> str:
        return self.form.title.pick(get_language())

    def page(self, code: str) -> CompiledPage:
        """Give a page by its code. Raises KeyError."""
        for page in self.pages:
            if page.code == code:
                return page
        raise KeyError(code)

    def pages_for(
        self,
        answers: Mapping[str, Any],
        prefill: Mapping[str, Prefilled] | None = None,
        now: datetime | None = None,
    ) -> list[CompiledPage]:
        """List the pages that this person sees, in order."""
        context = self.context(answers, prefill or {})
        return [page for page in self.pages if page.applies(answers, prefill or {}, context, now)]

    def context(self, answers: Mapping[str, Any], prefill: Mapping[str, Prefilled]) -> dict[str, Any]:
        """Give what conditions see: the answers, and what registers hold."""
        return context_of(self.form, answers, {code: p.value for code, p in prefill.items()})

    def problems(
        self,
        answers: Mapping[str, Any],
        prefill: Mapping[str, Prefilled] | None = None,
        now: datetime | None = None,
    ) -> list[Problem]:
        """List what keeps the answers from being submitted: every page is checked again as if it were sent now."""
        found: list[Problem] = []
        for page in self.pages_for(answers, prefill, now):
            data, files = _as_sent(page.page, answers)
            bound = page.bind(data, files, answers=answers, prefill=prefill, now=now)
            bound.data = {**data, SHOWN: " ".join(bound.fields)}
            bound.revealed = []
            for name, messages in bound.errors.items():
                found += [Problem(page=page.code, element=name.replace("-", "."), message=str(m)) for m in messages]
            for element, formset in page.bind_repeats(_formset_data(page, answers)).items():
                if not formset.is_valid():
                    found.append(
                        Problem(page=page.code, element=element, message=gettext("Some entries are not complete."))
                    )
        return found

    def settled(
        self,
        answers: Mapping[str, Any],
        prefill: Mapping[str, Prefilled] | None = None,
        now: datetime | None = None,
    ) -> dict[str, Any]:
        """Give the answers that still apply: what a changed answer has made moot is dropped."""
        kept = {k: v for k, v in answers.items() if v is not None}
        for _round in range(len(self.pages) + 1):
            pages = self.pages_for(kept, prefill, now)
            asked = {
                name.replace("-", ".")
                for page in pages
                for name in page.bind(answers=kept, prefill=prefill, now=now).fields
            } | {e for page in pages for e in page.repeats}
            fewer = {k: v for k, v in kept.items() if k in asked}
            if fewer == kept:
                break
            kept = fewer
        return kept

    def review(
        self,
        answers: Mapping[str, Any],
        prefill: Mapping[str, Prefilled] | None = None,
        now: datetime | None = None,
    ) -> list[tuple[CompiledPage, list[Row]]]:
        """List, page by page, every answer and every fact from a register, as a person reads it before submitting."""
        prefill = prefill or {}
        result = []
        for page in self.pages_for(answers, prefill, now):
            bound = page.bind(answers=answers, prefill=prefill, now=now)
            shown = {row.element: row for row in bound.shown()}
            rows = []
            for one in page.page.fields():
                if one.element in shown:
                    rows.append(shown[one.element])
                elif one.name in bound.fields:
                    rows.append(
                        Row(
                            element=str(one.element),
                            label=one.label.pick(get_language()),
                            shown=show(one, answers.get(one.element)),
                            page=page.code,
                        )
                    )
            for element, made in page.repeats.items():
                count = len(answers.get(element) or [])
                rows.append(
                    Row(
                        element=element,
                        label=str(made.title),  # type: ignore[attr-defined]
                        shown=ngettext("%(count)s entry", "%(count)s entries", count) % {"count": count},
                        page=page.code,
                    )
                )
            result.append((page, rows))
        return result


def compile_form(form: Form, *, digest: str = "", divisions: Divisions | None = None) -> CompiledForm:
    """Compile a form's definition to Django forms, one class a page and one formset a repeating group.

    ``divisions`` lists what a division or an address may be chosen from. Costs about a millisecond a field; keep the result.
    """
    return CompiledForm(
        form=form,
        digest=digest,
        pages=tuple(_compile_page(form, page, divisions) for page in form.pages),
    )


def _compile_page(form: Form, page: Page, divisions: Divisions | None) -> CompiledPage:
    members: dict[str, Any] = {}
    repeats: dict[str, type[forms.BaseFormSet[forms.Form]]] = {}
    for group in page.groups:
        made = {one.name: _compile_field(one, group, divisions) for one in group.fields}
        if group.repeat is None:
            members.update(made)
        else:
            repeats[str(group.repeat.element)] = _compile_repeat(group, made)
    members[SHOWN] = forms.CharField(required=False, widget=forms.HiddenInput)
    form_class: Any = type("PageForm", (PageForm,), members)
    compiled = CompiledPage(form=form, page=page, form_class=form_class, repeats=repeats)
    form_class.compiled = compiled
    return compiled


def _compile_repeat(group: Group, made: Mapping[str, forms.Field]) -> type[forms.BaseFormSet[forms.Form]]:
    repeat = group.repeat
    assert repeat is not None  # noqa: S101 - the caller saw to it
    formset: Any = forms.formset_factory(
        type("RepeatForm", (forms.Form,), dict(made)),
        extra=1,
        can_delete=True,
        min_num=repeat.minimum,
        max_num=repeat.maximum,
        validate_min=True,
        validate_max=True,
        absolute_max=repeat.maximum + 1,
    )
    formset.title = lazily(repeat.item_title or group.title)
    result: type[forms.BaseFormSet[forms.Form]] = formset
    return result


def _compile_field(one: FormField, group: Group, divisions: Divisions | None) -> forms.Field:
    made = django_field(
        one,
        label=lazily(one.label),
        hint=lazily(one.hint),
        errors={_ERROR_KEYS.get(key, key): lazily(text) for key, text in one.errors},
        options=options_of(one),
        divisions=divisions() if divisions and one.type in {FieldType.DIVISION, FieldType.ADDRESS} else (),
    )
    hints = {o.code: lazily(o.hint) for o in one.options if o.hint is not None}
    made.choice_hints = hints  # type: ignore[attr-defined]
    made.group = lazily(group.title)  # type: ignore[attr-defined]
    made.element = str(one.element)  # type: ignore[attr-defined]
    if one.type in {FieldType.IDENTITY_NUMBER, FieldType.CREDIT_CODE, FieldType.PHONE, FieldType.HAN_NAME}:
        made.width = 18  # type: ignore[attr-defined]
    return made


# What files call an error, and what Django calls it.
_ERROR_KEYS = {"too_long": "max_length", "too_short": "min_length"}


def answers_of_repeat(formset: forms.BaseFormSet[forms.Form]) -> list[dict[str, Any]]:
    """Give the entries of a valid formset as a draft keeps them, without those struck out or left empty."""
    rows = []
    for entry in formset.cleaned_data:
        if not entry or entry.get("DELETE"):
            continue
        rows.append({k.replace("-", "."): json_value(v) for k, v in entry.items() if k != "DELETE"})
    return rows


def _as_sent(page: Page, answers: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    data: dict[str, Any] = {}
    for one in page.fields():
        value = answers.get(one.element)
        if value is None:
            continue
        if one.type is FieldType.YES_NO:
            data[one.name] = "yes" if value else "no"
        elif one.type is FieldType.MONEY and isinstance(value, int):
            data[one.name] = f"{value // 100}.{value % 100:02d}"
        elif one.type is FieldType.ADDRESS and isinstance(value, Mapping):
            data[f"{one.name}_0"], data[f"{one.name}_1"] = value.get("division"), value.get("detail")
        elif one.type is not FieldType.UPLOAD:
            data[one.name] = value
    return _Sent(data), {}


class _Sent(dict[str, Any]):
    """Answers of a draft in the shape of sent data."""

    def getlist(self, name: str) -> list[Any]:
        value = self.get(name)
        if value is None:
            return []
        return list(value) if isinstance(value, (list, tuple)) else [value]


def _formset_data(page: CompiledPage, answers: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for element in page.repeats:
        prefix, rows = field_name(element), answers.get(element) or []
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        for index, row in enumerate(rows):
            for code, value in row.items():
                shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
                data[f"{prefix}-{index}-{field_name(code)}"] = shown
    return data
