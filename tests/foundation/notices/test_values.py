from __future__ import annotations

from datetime import date

import pytest

from furong.foundation.notices.errors import TemplateUnknownError
from furong.foundation.notices.templates import TEMPLATES, register_template
from furong.foundation.notices.values import LANGUAGES, render

SAMPLE = {"item": {"zh": "出生登记", "en": "birth"}, "title": {"zh": "告知书"}, "number": "N-1", "due_on": "2026-11-03"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(code for code in TEMPLATES if code.startswith("cases.")))
def test_every_template_can_be_written_in_every_language(code: str, language: str) -> None:
    template = TEMPLATES[code]
    for text in (template.title, template.body, *([template.sms] if template.sms else [])):
        written = render(text, SAMPLE, language=language)
        assert written
        assert not set("{}[]") & set(written)


def test_a_passage_whose_parameter_is_empty_is_left_out() -> None:
    text = {"zh": "已受理[[，于 {due_on} 前办结]]。"}
    assert render(text, {"due_on": "2026-11-03"}, language="zh") == "已受理，于 2026年11月3日 前办结。"
    assert render(text, {"due_on": ""}, language="zh") == "已受理。"
    assert render(text, {}, language="zh") == "已受理。"


def test_dates_are_written_as_people_write_them_and_texts_in_the_language_asked_for() -> None:
    text = {"zh": "{item} {due_on}", "en": "{item} {due_on}"}
    params = {"item": {"zh": "出生", "en": "birth"}, "due_on": date(2026, 11, 3)}
    assert render(text, params, language="en") == "birth 3 November 2026"
    assert render(text, {"item": {"zh": "出生"}, "due_on": "soon"}, language="en") == "出生 soon"


def test_a_missing_parameter_is_a_fault() -> None:
    with pytest.raises(TemplateUnknownError):
        render({"zh": "{item}"}, {}, language="zh")


def test_what_stands_in_a_parameter_is_never_taken_for_a_template() -> None:
    assert render({"zh": "{item}"}, {"item": "{number} [[x]]", "number": "n"}, language="zh") == "{number} [[x]]"


def test_a_template_in_one_language_is_refused() -> None:
    both = {"zh": "一", "en": "one"}
    with pytest.raises(TemplateUnknownError):
        register_template("test.half", title=both, body={"zh": "一"})
    assert "test.half" not in TEMPLATES
