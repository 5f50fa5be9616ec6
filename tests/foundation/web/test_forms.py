"""Every widget gets a label, a hint that is announced, and an error that the summary links to."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import lxml.html
import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import engines
from django.utils import translation

from furong.foundation.web import forms as web_forms
from furong.foundation.web.widgets import DatePartsInput


class Everything(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the card", max_length=20)
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    born = forms.DateField(label="Born", widget=DatePartsInput, help_text="2026 11 15")
    sex = forms.ChoiceField(label="Sex", choices=[("1", "M"), ("2", "F")], widget=forms.RadioSelect)
    needs = forms.MultipleChoiceField(
        label="Needs", choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple, help_text="any"
    )
    city = forms.ChoiceField(label="City", choices=[("", "-"), ("x", "X")])
    agree = forms.BooleanField(label="Agree", help_text="to all")
    count = forms.IntegerField(label="Count", min_value=1)
    secret = forms.CharField(label="Secret", widget=forms.PasswordInput)
    photo = forms.FileField(label="Photo", help_text="JPEG")
    step = forms.CharField(widget=forms.HiddenInput, initial="2")


def draw(form: Any, *, summary: bool = True) -> lxml.html.HtmlElement:
    source = '{% import "furong/components/forms.jinja" as f %}<div>'
    source += "{{ f.error_summary(form) }}" if summary else ""
    html = engines["furong"].from_string(source + "{{ f.fields(form) }}</div>").render({"form": form})
    return lxml.html.fragment_fromstring(html)


def controls(page: lxml.html.HtmlElement) -> list[lxml.html.HtmlElement]:
    return [e for e in page.iter("input", "select", "textarea") if e.get("type") != "hidden"]


@pytest.mark.parametrize(
    "data", [None, {}, {"name": "x" * 30, "born_year": "2026", "born_month": "2", "born_day": "31"}]
)
def test_every_control_has_a_label_and_its_descriptions_exist(data: dict[str, str] | None) -> None:
    page = draw(Everything(data))
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {e.get("for") for e in page.iter("label")}
    assert len(controls(page)) == 14
    for control in controls(page):
        assert control.get("id") in labelled
    for element in page.iter():
        for reference in (element.get("aria-describedby") or "").split():
            assert reference in ids


def test_hint_is_announced_with_its_field() -> None:
    page = draw(Everything())
    assert page.get_element_by_id("id_name").get("aria-describedby") == "id_name-hint"
    group = next(e for e in page.iter("fieldset") if e.get("aria-describedby") == "id_needs-hint")
    assert [e.get("type") for e in group.iter("input")] == ["checkbox", "checkbox"]


def test_summary_links_to_the_first_box_of_each_wrong_field_and_says_the_same() -> None:
    form = Everything({"born_year": "2026", "born_month": "13", "born_day": "1"})
    page = draw(form)
    summary = page.find_class("summary")[0]
    assert summary.get("role") == "alert"
    links = {a.get("href")[1:]: a.text for a in summary.iter("a")}
    assert set(links) == {
        "id_name", "id_born_year", "id_sex_0", "id_needs_0", "id_city", "id_agree", "id_count", "id_secret", "id_photo",
        "id_step",
    }  # fmt: skip
    for target, message in links.items():
        box = page.get_element_by_id(target)
        field = next((a for a in box.iterancestors() if "field" in (a.get("class") or "").split()), None)
        if field is not None:
            assert message in field.text_content()
            assert "wrong" in field.get("class").split()


def test_no_summary_before_the_first_sending_or_when_all_is_right() -> None:
    assert draw(Everything()).find_class("summary") == []
    good = Everything(
        {"name": "n", "born_year": "2026", "born_month": "11", "born_day": "5", "sex": "1", "needs": ["a"], "city": "x",
         "agree": "on", "count": "2", "secret": "s", "step": "2"},
        {"photo": SimpleUploadedFile("p.jpg", b"x")},
    )  # fmt: skip
    assert good.is_valid(), good.errors
    assert good.cleaned_data["born"] == dt.date(2026, 11, 5)
    assert draw(good).find_class("summary") == []


def test_what_was_typed_stays_and_a_password_does_not() -> None:
    page = draw(
        Everything(
            {"name": '"><script>', "secret": "hunter", "born_year": "26", "needs": ["b"], "sex": "2", "city": "x"}
        )
    )
    assert page.get_element_by_id("id_name").get("value") == '"><script>'
    assert page.get_element_by_id("id_secret").get("value") == ""
    assert page.get_element_by_id("id_born_year").get("value") == "26"
    assert [e.get("value") for e in page.iter("input") if e.get("checked") is not None] == ["2", "b"]
    assert [e.get("value") for e in page.iter("option") if e.get("selected") is not None] == ["x"]
    assert list(page.iter("script")) == []


def test_prefilled_fact_shows_its_source() -> None:
    form = Everything()
    form.fields["name"].source = "From the population register"  # type: ignore[attr-defined]
    assert "From the population register" in draw(form).text_content()


def test_optional_is_said_and_required_is_the_rule() -> None:
    with translation.override("zh-hans"):
        text = draw(Everything()).text_content()
    assert text.count("（选填）") == 1


def test_neighbours_of_one_group_stand_under_one_legend() -> None:
    form = Everything()
    for name in ("note", "born"):
        form.fields[name].group = "Child"  # type: ignore[attr-defined]
    sets = draw(form).find_class("set")
    assert len(sets) == 1
    assert sets[0].find("legend").text == "Child"
    assert len(list(sets[0].iter("input", "textarea"))) == 4


def test_a_formset_is_one_list_of_mistakes_with_links_that_lead_somewhere() -> None:
    sets = forms.formset_factory(Everything, extra=0)
    data = {"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-0-name": "a"}
    bound = sets(data)
    assert not bound.is_valid()
    source = '{% import "furong/components/forms.jinja" as f %}'
    source += '<div>{{ f.error_summary(set) }}{{ f.form_set(set, "Child") }}</div>'
    page = lxml.html.fragment_fromstring(engines["furong"].from_string(source).render({"set": bound}))
    ids = {e.get("id") for e in page.iter() if e.get("id")}
    targets = [a.get("href")[1:] for a in page.find_class("summary")[0].iter("a")]
    assert len(targets) > 10
    assert set(targets) <= ids


def test_form_drawn_by_django_uses_the_components() -> None:
    html = str(Everything())
    assert 'class="field' in html
    assert not re.search(r"<style|style=|onclick|<script", html)


def test_kinds_cover_every_widget_of_django() -> None:
    shown = {view.name: view.kind for view in web_forms.views_of(Everything())}
    assert shown == {
        "name": "input", "note": "textarea", "born": "date", "sex": "radios", "needs": "checkboxes", "city": "select",
        "agree": "checkbox", "count": "input", "secret": "input", "photo": "file", "step": "hidden",
    }  # fmt: skip
