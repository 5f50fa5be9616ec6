"""Compiled forms: what is asked, what is shown, what is kept, and what is said when something is wrong."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.utils import translation
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from furong.domains.services.forms.compile import (
    SHOWN,
    CompiledForm,
    answers_of_repeat,
    compile_form,
)
from furong.domains.services.forms.conditions import nested
from furong.domains.services.forms.fields import (
    BankAccountField,
    DayField,
    HanNameField,
    MoneyField,
    PhoneField,
)
from furong.domains.services.values.forms import FORM, Form, with_file
from furong.domains.services.values.life_events import compose
from furong.domains.services.values.prefill import Prefilled
from furong.foundation.packs.queries import read_pack
from furong.foundation.packs.values import Report, both, parse_yaml
from tests.packs.planting import HUNAN, TINY

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def held(**values: Any) -> dict[str, Prefilled]:
    return {
        code.replace("__", "."): Prefilled(
            element=code.replace("__", "."), value=value, source=both("人口库", "Population")
        )
        for code, value in values.items()
    }


MARRIED = held(
    mother__person_id="m",
    mother__name="李芷宁",
    mother__ethnicity="01",
    father__person_id="f",
    father__name="周亦衡",
    father__ethnicity="01",
    father__household_id="h",
    newborn__sex="2",
    newborn__born_on="2026-11-01",
    newborn__birth_division_code="430200",
)
ALONE = held(mother__person_id="m", mother__name="李芷宁", mother__ethnicity="01")
ANSWERS = {
    "newborn.name": "周芷沅",
    "newborn.household_with": "mother",
    "benefit.account_number": "6228480000000000",
    "delivery.method": "mail",
}


@pytest.fixture(scope="module")
def newborn() -> CompiledForm:
    pack = read_pack(HUNAN)
    return compile_form(compose(pack.values("life_event")["newborn"], pack.values("form")).form, digest="d")


@pytest.fixture(scope="module")
def boat() -> CompiledForm:
    return compile_form(read_pack(TINY).values("form")["boat_registration"])


def form_of(text: str) -> Form:
    report = Report("form.yaml", ("en",))
    form = FORM.read(parse_yaml(text.encode(), file="form.yaml"), report, "")
    assert report.findings == []
    return with_file(form, "form.yaml")


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_what_registers_hold_is_shown_with_its_source_and_not_asked(newborn: CompiledForm) -> None:
    page = newborn.page("household").bind(prefill=MARRIED)
    assert [n for n in page.fields if n != SHOWN] == ["newborn-household_with"]
    with translation.override("zh-hans"):
        rows = {row.element: (row.shown, row.source) for row in page.shown()}
    assert rows["mother.name"] == ("李芷宁", "人口库")
    assert rows["father.ethnicity"] == ("汉族", "人口库")


def test_a_mother_alone_is_not_offered_the_fathers_household(newborn: CompiledForm) -> None:
    page = newborn.page("household").bind(prefill=ALONE)
    assert [code for code, _ in page.fields["newborn-household_with"].choices] == ["mother"]  # type: ignore[attr-defined]
    sent = newborn.page("household").bind({"newborn-household_with": "father"}, prefill=ALONE)
    assert not sent.is_valid()


def test_the_fifth_question_stands_only_when_the_parents_groups_differ(newborn: CompiledForm) -> None:
    differ = MARRIED | held(mother__ethnicity="15")
    assert "newborn-ethnicity" not in newborn.page("household").bind(prefill=MARRIED).fields
    assert "newborn-ethnicity" in newborn.page("household").bind(prefill=differ).fields


def test_what_a_register_holds_cannot_be_overridden_by_what_is_sent(newborn: CompiledForm) -> None:
    page = newborn.page("household").bind(
        {"newborn-household_with": "father", "father-household_id": "mine", "mother-name": "x"},
        answers={"father.household_id": "mine", "mother.name": "x", "father.person_id": "me"},
        prefill=ALONE,
    )
    assert not page.is_valid()
    assert set(page.answers()) <= {"newborn.household_with", "newborn.ethnicity"}


def test_a_question_opened_by_an_answer_comes_back_as_one_more_question(boat: CompiledForm) -> None:
    first = boat.page("boat").bind()
    assert "boat-motor_kw" not in first.fields
    sent = {
        "boat-name": "Aalto",
        "boat-length_m": "6.5",
        "boat-has_motor": "yes",
        SHOWN: "boat-name boat-length_m boat-has_motor",
    }
    second = boat.page("boat").bind(sent)
    assert not second.is_valid()
    assert [e.code for e in second.errors.as_data()["boat-motor_kw"]] == ["revealed"]
    assert second.answers()["boat.name"] == "Aalto"
    third = boat.page("boat").bind({**sent, "boat-motor_kw": "40", SHOWN: f"{sent[SHOWN]} boat-motor_kw"})
    assert third.is_valid(), third.errors
    assert third.answers() == {
        "boat.name": "Aalto",
        "boat.length_m": "6.5",
        "boat.has_motor": True,
        "boat.motor_kw": 40,
    }


def test_the_same_question_left_empty_again_says_what_to_enter(boat: CompiledForm) -> None:
    sent = {"boat-name": "Aalto", "boat-length_m": "6", "boat-has_motor": "yes", "boat-motor_kw": ""}
    page = boat.page("boat").bind({**sent, SHOWN: "boat-name boat-length_m boat-has_motor boat-motor_kw"})
    assert [e.code for e in page.errors.as_data()["boat-motor_kw"]] == ["required"]


def test_an_answer_that_no_longer_applies_is_dropped(boat: CompiledForm) -> None:
    page = boat.page("boat").bind(
        {"boat-name": "Aalto", "boat-length_m": "6", "boat-has_motor": "no", "boat-motor_kw": "40"},
        answers={"boat.motor_kw": 40},
    )
    assert page.is_valid(), page.errors
    assert page.answers()["boat.motor_kw"] is None
    kept = boat.settled({"boat.name": "Aalto", "boat.has_motor": False, "boat.motor_kw": 40, "gone.field": 1})
    assert kept == {"boat.name": "Aalto", "boat.has_motor": False}


def test_a_rule_over_several_answers_stands_at_its_field(boat: CompiledForm) -> None:
    page = boat.page("boat").bind(
        {"boat-name": "A", "boat-length_m": "2", "boat-has_motor": "yes", "boat-motor_kw": "101"}
    )
    with translation.override("en"):
        assert page.errors == {"boat-motor_kw": ["Too strong for this boat."]}


# --- a whole draft ----------------------------------------------------------------------------------------------------


def test_a_complete_draft_has_no_problem_and_an_empty_one_names_every_question(newborn: CompiledForm) -> None:
    assert newborn.problems(ANSWERS, MARRIED) == []
    assert {(p.page, p.element) for p in newborn.problems({}, MARRIED)} == {
        ("child", "newborn.name"),
        ("household", "newborn.household_with"),
        ("benefits", "benefit.account_number"),
        ("delivery", "delivery.method"),
    }


def test_the_review_shows_every_answer_and_every_fact_once(newborn: CompiledForm) -> None:
    with translation.override("zh-hans"):
        rows = [row for _, rows in newborn.review(ANSWERS, MARRIED) for row in rows]
    elements = [row.element for row in rows]
    assert len(elements) == len(set(elements))
    shown = {row.element: row.shown for row in rows}
    assert shown["delivery.method"] == "免费邮寄到母亲的户籍地址"
    assert shown["newborn.born_on"] == "2026年11月1日"
    assert [row.element for row in rows if row.is_asked] == list(ANSWERS)


def test_labels_and_errors_follow_the_readers_language(newborn: CompiledForm) -> None:
    for language, label, error in (
        ("zh-hans", "给孩子取的名字", "请填写孩子的姓名。"),
        ("en", "Name of the child", "Enter the name of the child."),
    ):
        with translation.override(language):
            page = newborn.page("child").bind({SHOWN: "newborn-name"}, prefill=MARRIED)
            assert str(page.fields["newborn-name"].label) == label
            assert page.errors == {"newborn-name": [error]}


def test_the_place_of_birth_is_asked_only_while_no_register_holds_it_and_shown_by_name(newborn: CompiledForm) -> None:
    silent = {code: p for code, p in MARRIED.items() if not code.startswith("newborn.")}
    assert [p.element for p in newborn.problems(ANSWERS, silent)] == ["newborn.birth_division_code"]
    assert "newborn-birth_division_code" not in newborn.page("child").bind(prefill=MARRIED).fields
    stated = {**ANSWERS, "newborn.birth_division_code": "430103"}
    shown = {row.element: row for _, rows in newborn.review(stated, silent) for row in rows}
    assert shown["newborn.birth_division_code"].shown == "长沙市天心区"
    assert shown["newborn.birth_division_code"].is_asked
    held = {row.element: row for _, rows in newborn.review(stated, MARRIED) for row in rows}
    assert held["newborn.birth_division_code"].shown == "株洲市"
    assert not held["newborn.birth_division_code"].is_asked


# --- uploads and repeats ----------------------------------------------------------------------------------------------


def picture(content: bytes, name: str = "boat.png") -> InMemoryUploadedFile:
    return InMemoryUploadedFile(io.BytesIO(content), "boat-photo", name, "image/png", len(content), None)


def test_an_upload_is_looked_at_by_its_bytes(boat: CompiledForm) -> None:
    page = boat.page("papers")
    assert page.bind({}, {"boat-photo": picture(PNG)}).is_valid()
    lying = page.bind({}, {"boat-photo": picture(b"%PDF-1.7 not a picture")})
    assert [e.code for e in lying.errors.as_data()["boat-photo"]] == ["not_what_it_says"]
    empty = page.bind({}, {"boat-photo": SimpleUploadedFile("boat.png", b"")})
    assert [e.code for e in empty.errors.as_data()["boat-photo"]] == ["empty"]


def test_an_upload_that_is_too_large_is_refused_also_when_it_was_dropped_on_the_way(boat: CompiledForm) -> None:
    page = boat.page("papers")
    large = page.bind({}, {"boat-photo": picture(PNG + b"\0" * 1024 * 1024)})
    assert [e.code for e in large.errors.as_data()["boat-photo"]] == ["too_large"]
    dropped = page.bind({}, {}, oversized=["boat-photo"])
    assert [e.code for e in dropped.errors.as_data()["boat-photo"]] == ["too_large"]
    with translation.override("en"):
        assert "1 MB" in str(dropped.errors["boat-photo"])


def test_a_stored_upload_needs_no_second_one(boat: CompiledForm) -> None:
    stored = {"digest": "ab" * 32, "name": "boat.png", "size": 108, "media_type": "image/png"}
    page = boat.page("papers").bind({}, {}, answers={"boat.photo": stored})
    assert page.is_valid(), page.errors
    assert page.answers()["boat.photo"] == stored
    assert page.uploads() == {}
    fresh = boat.page("papers").bind({}, {"boat-photo": picture(PNG)})
    assert fresh.is_valid()
    assert list(fresh.uploads()) == ["boat.photo"]


def test_a_group_repeats_within_its_bounds(boat: CompiledForm) -> None:
    page = boat.page("papers")
    prefix = "boat-crew"

    def sent(*names: str) -> dict[str, Any]:
        data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(names), f"{prefix}-INITIAL_FORMS": 0}
        return data | {f"{prefix}-{i}-crew_member-name": name for i, name in enumerate(names)}

    formset = page.bind_repeats(sent("Aino", "Eero", ""))["boat.crew"]
    assert formset.is_valid(), formset.errors
    assert answers_of_repeat(formset) == [{"crew_member.name": "Aino"}, {"crew_member.name": "Eero"}]
    assert not page.bind_repeats(sent("a", "b", "c", "d"))["boat.crew"].is_valid()
    again = page.bind_repeats(answers={"boat.crew": [{"crew_member.name": "Aino"}]})["boat.crew"]
    assert again.forms[0].initial == {"crew_member-name": "Aino"}


# --- single fields ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("周芷沅", "周芷沅"),
        (" 周 芷 沅 ", "周芷沅"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("欧阳．娜", "欧阳·娜"),
        ("𬭸", "𬭸"),
    ],
)
def test_a_chinese_name_is_kept_in_its_regular_form(typed: str, kept: str) -> None:
    assert HanNameField().clean(typed) == kept


@pytest.mark.parametrize("typed", ["Wang", "周1", "·周", "周··沅", "周😀", "<b>周</b>"])
def test_what_is_no_chinese_name_is_refused_without_repeating_it(typed: str) -> None:
    form = type("F", (__import__("django.forms").forms.Form,), {"name": HanNameField()})({"name": typed})
    assert not form.is_valid()
    assert typed not in str(form.errors["name"])


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)))
@settings(max_examples=60)
def test_every_date_is_read_in_every_way_people_write_it(day: date) -> None:
    field = DayField()
    ways = [
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}-{day.month}-{day.day}".translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    ]
    assert {field.clean(way) for way in ways} == {day}


@given(st.integers(min_value=0, max_value=10**12))
@settings(max_examples=60)
def test_an_amount_comes_back_as_it_was_typed(fen: int) -> None:
    field = MoneyField()
    written = field.prepare_value(fen)
    assert field.clean(written) == fen


def test_numbers_are_taken_with_spaces_and_full_width_digits() -> None:
    assert PhoneField().clean("138 ００００ 0000") == "13800000000"
    assert BankAccountField().clean("6228 4800-0000 0000") == "6228480000000000"


# --- properties -----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
KINDS = st.sampled_from(["text", "integer", "yes_no", "choice", "date", "decimal", "phone"])
VALUES = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["yes", "no", "one", "two", "2026-02-30", "2026-02-03", "12", "-1", "1e9999", "\0", "١٢"]),
)


def _field(name: str, kind: str, other: str | None) -> str:
    options = "\n            options: [{code: one, label: {en: One}}, {code: two, label: {en: Two}}]"
    return (
        f"          - element: x.{name}\n            type: {kind}\n            label: {{en: Field {name}}}"
        + (options if kind == "choice" else "")
        + (f'\n            show_if: x.{other} != null and x.{other} != "no"' if other else "")
    )


@st.composite
def forms(draw: st.DrawFn) -> str:
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    lines = []
    for index, name in enumerate(names):
        other = draw(st.sampled_from([None, *names[:index]]))
        lines.append(_field(name, draw(KINDS), other))
    return (
        "code: f\ntitle: {en: F}\npages:\n  - code: p\n    title: {en: P}\n    groups:\n      - fields:\n"
        + "\n".join(lines)
    )


@given(forms(), st.dictionaries(NAMES, VALUES, max_size=5))
@settings(max_examples=80, deadline=None)
def test_any_form_takes_any_input_and_what_it_accepts_it_accepts_again(text: str, typed: dict[str, str | None]) -> None:
    form = compile_form(form_of(text))
    data = {f"x-{name}": value for name, value in typed.items() if value is not None}
    page = form.page("p").bind(data)
    valid = page.is_valid()
    answers = {k: v for k, v in page.answers().items() if v is not None}
    assert json.loads(json.dumps(answers)) == answers
    if valid:
        assert form.problems(answers) == []
        assert form.settled(answers) == answers
        assert {row.element for _, rows in form.review(answers) for row in rows} >= set(answers)
    else:
        assert page.errors


@given(st.dictionaries(st.from_regex(r"[a-c](\.[a-c]){1,2}", fullmatch=True), st.integers() | st.none(), max_size=6))
def test_elements_become_nested_contexts_and_none_is_lost(values: dict[str, int | None]) -> None:
    assume(not any(a != b and b.startswith(f"{a}.") for a in values for b in values))  # the dictionary refuses these
    context = nested(values)
    for code, value in values.items():
        place: Any = context
        for part in code.split("."):
            place = place[part]
        assert place == value
