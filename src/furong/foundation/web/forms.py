"""Renders any Django form through the components: labels, hints, errors, the error summary and ``aria`` in one place.

The pattern is GOV.UK's: the summary at the top links to each field, each message stands at its field, and both say the same.
A template writes ``{{ forms.fields(form) }}``; what the macros need is gathered here as values.

A field may carry more than Django knows, as attributes: ``source`` (a text: which department supplied the value), ``width``
(2, 4, 10, 18 or 30 characters), ``inline`` (choices beside each other), ``group`` (legend of the set it belongs to) and
``choice_hints`` (value → a line under that choice).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.forms import renderers
from django.template import engines
from django.utils.translation import gettext

from furong.foundation.web.widgets import DatePartsInput

_INPUT_TYPES = {"text", "email", "url", "number", "tel", "search", "password", "date", "datetime-local", "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a question."""

    id: str
    value: str
    label: str
    hint: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One box of a question that has several (year, month, day)."""

    id: str
    name: str
    label: str
    value: str
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """What a page needs to show one field. ``kind`` names its macro."""

    kind: str  # input textarea select radios checkboxes checkbox date several file hidden
    id: str
    name: str
    label: str
    hint: str
    errors: tuple[str, ...]
    required: bool
    value: Any = ""
    type: str = "text"
    width: int = 0
    inline: bool = False
    source: str = ""
    group: str = ""
    choices: tuple[Choice, ...] = ()
    parts: tuple[Part, ...] = ()
    views: tuple[FieldView, ...] = ()  # of a question made of several fields (division and street)
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def described_by(self) -> str:
        """Ids of the hint and the error, for ``aria-describedby``; empty when there is neither."""
        ids = [f"{self.id}-hint"] if self.hint else []
        return " ".join([*ids, *([f"{self.id}-error"] if self.errors else [])])

    @property
    def target(self) -> str:
        """The id that the error summary's link goes to: the first thing of the field that takes focus."""
        if self.choices and self.kind in {"radios", "checkboxes"}:
            return self.choices[0].id
        if self.views:
            return self.views[0].target
        return self.parts[0].id if self.parts else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One line of the error summary."""

    target: str
    message: str


def view_of(bound: forms.BoundField) -> FieldView:
    """Gather what a page needs of one bound field."""
    widget, the_field = bound.field.widget, bound.field
    identifier = bound.auto_id or bound.html_name
    kind, kind_of_input = _kind(widget)
    value = bound.value()
    attrs = {
        name: given
        for name, given in {**widget.attrs, **the_field.widget_attrs(widget)}.items()
        if name not in {"class", "id", "required", "type"} and given is not False
    }
    return FieldView(
        kind=kind,
        id=identifier,
        name=bound.html_name,
        label=str(bound.label or ""),
        hint=str(bound.help_text or ""),
        errors=tuple(str(message) for message in bound.errors),
        required=the_field.required,
        value=_written(bound, widget, value),
        type=kind_of_input,
        width=int(getattr(the_field, "width", 0) or 0),
        inline=bool(getattr(the_field, "inline", False)),
        source=str(getattr(the_field, "source", "") or ""),
        group=str(getattr(the_field, "group", "") or ""),
        choices=tuple(_choices(bound, widget, value, identifier)) if kind in {"radios", "checkboxes", "select"} else (),
        parts=tuple(_parts(bound, widget, value, identifier)) if kind == "date" else (),
        views=tuple(_several(bound, widget, value, identifier)) if kind == "several" else (),
        attrs=attrs,
    )


def _kind(widget: forms.Widget) -> tuple[str, str]:
    if widget.is_hidden:
        return "hidden", "hidden"
    if isinstance(widget, DatePartsInput):
        return "date", ""
    if isinstance(widget, forms.MultiWidget):
        return "several", ""
    if isinstance(widget, forms.FileInput):
        return "file", "file"
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "checkboxes", "checkbox"
    if isinstance(widget, forms.RadioSelect):
        return "radios", "radio"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox", "checkbox"
    if isinstance(widget, forms.Select):
        return "select", ""
    if isinstance(widget, forms.Textarea):
        return "textarea", ""
    found = getattr(widget, "input_type", "text")
    return "input", found if found in _INPUT_TYPES else "text"


def _written(bound: forms.BoundField, widget: forms.Widget, value: Any) -> Any:
    if isinstance(widget, forms.PasswordInput) and not widget.render_value:
        return ""
    if isinstance(widget, forms.CheckboxInput):
        return bool(value) and value not in {"False", "false", "0"}
    if isinstance(widget, forms.FileInput):
        stored = value.get("name", "") if isinstance(value, Mapping) else getattr(value, "name", "")
        return stored if value else ""
    if isinstance(value, list | tuple | dict):
        return value
    written = widget.format_value(value)
    return "" if written is None else written


def _choices(bound: forms.BoundField, widget: forms.Widget, value: Any, identifier: str) -> Iterator[Choice]:
    chosen = value if isinstance(value, list | tuple | set) else [value]
    chosen_texts = {str(v) for v in chosen if v is not None}
    hints: Mapping[str, str] = getattr(bound.field, "choice_hints", {})
    options: Iterable[tuple[Any, Any]] = getattr(widget, "choices", ())
    flat = [pair for key, label in options for pair in (label if isinstance(label, list | tuple) else [(key, label)])]
    for index, (key, label) in enumerate(flat):
        text = "" if key is None else str(key)
        if text == "" and not isinstance(widget, forms.Select):
            continue
        if text == "" and isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            continue
        yield Choice(
            id=f"{identifier}_{index}",
            value=text,
            # Django's own empty choice is a row of hyphens; a form's own words for it stay.
            label=str(label) if text or str(label).strip("-") else gettext("Please choose"),
            hint=str(hints.get(text, "")),
            chosen=text in chosen_texts if text else not chosen_texts or "" in chosen_texts,
        )


def _parts(bound: forms.BoundField, widget: Any, value: Any, identifier: str) -> Iterator[Part]:
    for suffix, label, width, written in widget.boxes(value):
        yield Part(
            id=f"{identifier}_{suffix}",
            name=f"{bound.html_name}_{suffix}",
            label=str(label),
            value=written,
            width=width,
        )


def _several(bound: forms.BoundField, widget: Any, value: Any, identifier: str) -> Iterator[FieldView]:
    values = value if isinstance(value, list | tuple) else widget.decompress(value)
    fields: list[forms.Field] = list(getattr(bound.field, "fields", ()))
    labels = getattr(bound.field, "part_labels", ())
    for index, one in enumerate(widget.widgets):
        kind, kind_of_input = _kind(one)
        given = values[index] if index < len(values) else None
        name, part_id = f"{bound.html_name}{widget.widgets_names[index]}", f"{identifier}{widget.widgets_names[index]}"
        yield FieldView(
            kind=kind,
            id=part_id,
            name=name,
            label=str(labels[index] if index < len(labels) else (fields[index].label or bound.label)),
            hint="",
            errors=(),
            required=bound.field.required,
            value="" if given is None else given,
            type=kind_of_input,
            choices=tuple(_choices(bound, one, given, part_id)) if kind == "select" else (),
            attrs={k: v for k, v in one.attrs.items() if k not in {"class", "id", "required"}},
        )


def views_of(form: forms.BaseForm) -> list[FieldView]:
    """Gather all fields of a form in their order, hidden ones too."""
    return [view_of(bound) for bound in form]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that stand together under one legend; ``name`` is empty for fields that stand alone."""

    name: str
    views: tuple[FieldView, ...]


def groups_of(form: forms.BaseForm) -> list[Group]:
    """Gather a form's fields, neighbours of the same ``group`` together."""
    return [
        Group(name=name, views=tuple(views)) for name, views in itertools.groupby(views_of(form), key=lambda v: v.group)
    ]


def mistakes_of(*forms_shown: forms.BaseForm | forms.BaseFormSet[Any]) -> list[Mistake]:
    """List what is wrong on the page, in its order, for the error summary; empty before the first sending."""
    found: list[Mistake] = []
    for shown in forms_shown:
        if isinstance(shown, forms.BaseFormSet):
            if shown.is_bound:
                found += [Mistake(target=f"{shown.prefix}-set", message=str(m)) for m in shown.non_form_errors()]
                found += mistakes_of(*shown.forms)
        elif shown.is_bound:
            first = next((view_of(b).target for b in shown if not b.is_hidden), "main")
            found += [Mistake(target=first, message=str(m)) for m in shown.non_field_errors()]
            for bound in shown:
                view = view_of(bound)
                found += [Mistake(target=view.target, message=m) for m in view.errors]
    return found


class Renderer(renderers.Jinja2):
    """What ``{{ form }}`` means in any template: the fields drawn by the components."""

    form_template_name = "furong/forms.jinja"

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name == self.form_template_name:
            template = engines["furong"].get_template("furong/form.jinja")
            return str(template.render({"form": context["form"]}, request=request))
        return str(super().render(template_name, context, request))
