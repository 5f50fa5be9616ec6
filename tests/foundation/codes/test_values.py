"""Check digits, dates and tables: no input or output but the division table of the installed library."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.codes import divisions, queries
from furong.foundation.codes.checks import CREDIT_ALPHABET, credit_check, mod_11_2, organisation_check
from furong.foundation.codes.credit_codes import make_credit_code, parse_credit_code
from furong.foundation.codes.errors import CodeRefused, CreditCodeRefused, IdentityNumberRefused, UnknownCodeTable
from furong.foundation.codes.identity_numbers import make_identity_number, parse_identity_number
from furong.foundation.codes.masking import mask_address, mask_name, mask_number, mask_phone
from furong.foundation.codes.values import IdentityKind, Sex

RESERVED = st.builds(
    "43{:02d}9{}".format, st.integers(min_value=0, max_value=99), st.integers(min_value=0, max_value=9)
)
BIRTHS = st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 12, 31))
SEQUENCES = st.integers(min_value=1, max_value=999)


def _refused(number: str, **options: bool) -> str:
    with pytest.raises(IdentityNumberRefused) as refusal:
        parse_identity_number(number, **options)
    return refusal.value.code


def _with_check(body: str) -> str:
    return body + mod_11_2(body)


# --- GB 11643 ---------------------------------------------------------------------------------------------------


def test_the_published_sample_says_its_birth_sex_and_division() -> None:
    found = parse_identity_number("360426199101010071")
    assert (found.kind, found.birth_on, found.sex) == (IdentityKind.CITIZEN, date(1991, 1, 1), Sex.MALE)
    assert found.division_code == "360426"
    assert found.warnings == ()


def test_a_check_character_x_may_be_small_and_digits_full_width() -> None:
    found = parse_identity_number(" ４３0000 18490101 002x ")
    assert found.number == "43000018490101002X"
    assert found.sex is Sex.FEMALE


@given(RESERVED, BIRTHS, SEQUENCES)
def test_a_made_number_says_what_it_was_made_of(division: str, birth_on: date, sequence: int) -> None:
    found = parse_identity_number(make_identity_number(division, birth_on, sequence), allow_reserved=True)
    assert (found.division_code, found.birth_on) == (division, birth_on)
    assert found.sex is (Sex.MALE if sequence % 2 else Sex.FEMALE)
    assert found.is_reserved
    assert found.warnings == ()


@given(RESERVED, BIRTHS, SEQUENCES, st.integers(min_value=0, max_value=17), st.sampled_from("0123456789X"))
def test_every_single_changed_character_is_caught(
    division: str, birth_on: date, sequence: int, place: int, put: str
) -> None:
    number = make_identity_number(division, birth_on, sequence)
    if number[place] == put:
        return
    wrong = number[:place] + put + number[place + 1 :]
    code = _refused(wrong, allow_reserved=True)
    assert code in ("identity_number.check_digit", "identity_number.form")


@given(RESERVED, BIRTHS, SEQUENCES, st.integers(min_value=0, max_value=16))
def test_every_swap_of_neighbours_is_caught(division: str, birth_on: date, sequence: int, place: int) -> None:
    number = make_identity_number(division, birth_on, sequence)
    left, right = number[place], number[place + 1]
    if left == right:
        return
    wrong = number[:place] + right + left + number[place + 2 :]
    assert _refused(wrong, allow_reserved=True) in ("identity_number.check_digit", "identity_number.form")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "identity_number.form"),
        ("36042619910101007", "identity_number.form"),
        ("3604261991010100711", "identity_number.form"),
        ("36042619910101007A", "identity_number.form"),
        ("360426199101010072", "identity_number.check_digit"),
        (_with_check("36042619910230007"), "identity_number.birth_date"),
        (_with_check("36042617000101007"), "identity_number.birth_date"),
        (_with_check("43019020200101001"), "identity_number.reserved"),
        ("430190200101001", "identity_number.reserved"),
        ("9" * 400, "identity_number.form"),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason(number: str, code: str) -> None:
    assert _refused(number) == code


def test_a_birth_after_today_is_refused_only_when_today_is_given() -> None:
    number = make_identity_number("430190", date(2030, 5, 1), 12)
    assert parse_identity_number(number, allow_reserved=True).birth_on == date(2030, 5, 1)
    with pytest.raises(IdentityNumberRefused) as refusal:
        parse_identity_number(number, allow_reserved=True, today=date(2030, 4, 30))
    assert refusal.value.code == "identity_number.birth_in_future"


def test_an_unknown_division_warns_and_an_ended_one_warns_only_for_later_births() -> None:
    unknown = parse_identity_number(_with_check("36999919910101007"))
    assert [w.code for w in unknown.warnings] == ["identity_number.division_unknown"]
    # 430122 became 430112 in 2011.
    assert parse_identity_number(_with_check("43012219900101001")).warnings == ()
    later = parse_identity_number(_with_check("43012220150101001"))
    assert [w.code for w in later.warnings] == ["identity_number.division_ended"]
    # 430112 exists since 2011; an adult who was given a number there later is in order.
    assert parse_identity_number(_with_check("43011219900101001")).warnings == ()


def test_a_number_of_15_digits_gains_its_century_and_check_digit() -> None:
    found = parse_identity_number("360426910101007")
    assert found.kind is IdentityKind.CITIZEN_15
    assert found.birth_on == date(1991, 1, 1)
    assert found.number_18 == "360426199101010071"
    assert parse_identity_number(found.number_18).birth_on == found.birth_on


def test_the_last_sequences_of_15_digits_belong_to_people_past_a_hundred() -> None:
    found = parse_identity_number("430121850101998")
    assert found.birth_on == date(1885, 1, 1)
    assert found.sex is Sex.FEMALE


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("810000", IdentityKind.HONG_KONG_PERMIT),
        ("820000", IdentityKind.MACAU_PERMIT),
        ("830000", IdentityKind.TAIWAN_PERMIT),
    ],
)
def test_residence_permits_are_told_by_their_prefix(prefix: str, kind: IdentityKind) -> None:
    found = parse_identity_number(_with_check(f"{prefix}19800229002"))
    assert (found.kind, found.sex, found.warnings) == (kind, Sex.FEMALE, ())


def test_a_foreign_resident_of_2023_carries_area_and_country() -> None:
    found = parse_identity_number(_with_check("94384019750315001"))
    assert found.kind is IdentityKind.FOREIGNER
    assert (found.division_code, found.nationality, found.sex) == ("430000", "840", Sex.MALE)
    odd = parse_identity_number(_with_check("99984019750315001"))
    assert [w.code for w in odd.warnings] == ["identity_number.division_unknown"]


def test_the_old_foreign_card_is_read_without_a_sex() -> None:
    found = parse_identity_number("usa430175031501")
    assert found.kind is IdentityKind.FOREIGNER_OLD
    assert (found.nationality, found.birth_on, found.sex) == ("USA", date(1975, 3, 15), Sex.UNKNOWN)
    young = parse_identity_number("USA430110031501")
    assert "identity_number.century_assumed" in [w.code for w in young.warnings]
    assert _refused("USA430175133101") == "identity_number.birth_date"


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser_and_no_message_repeats_it(text: str) -> None:
    try:
        parse_identity_number(text)
    except IdentityNumberRefused as refusal:
        assert len(text) < 8 or text not in str(refusal)  # noqa: PT017  both outcomes are allowed


def test_neither_repr_nor_refusal_shows_the_number() -> None:
    number = make_identity_number("430190", date(1990, 1, 2), 17)
    assert number not in repr(parse_identity_number(number, allow_reserved=True))
    with pytest.raises(IdentityNumberRefused) as refusal:
        parse_identity_number(number)
    assert number not in str(refusal.value)


def test_numbers_are_made_up_only_in_the_reserved_block() -> None:
    with pytest.raises(IdentityNumberRefused) as refusal:
        make_identity_number("430121", date(1990, 1, 1), 1)
    assert refusal.value.code == "identity_number.not_reserved"
    with pytest.raises(IdentityNumberRefused):
        make_identity_number("430190", date(1990, 1, 1), 1000)


def test_the_reserved_block_holds_no_division_that_ever_was() -> None:
    assert not [code for code in divisions.all_divisions() if code[4] == "9"]


# --- GB 32100 ---------------------------------------------------------------------------------------------------


def test_a_published_credit_code_and_the_fixture_pass() -> None:
    firm = parse_credit_code("91110000600037341L")
    assert (firm.registrar, firm.kind, firm.division_code) == ("9", "1", "110000")
    assert firm.organisation_code == "600037341"
    assert parse_credit_code("114300000000000190").warnings == ()


@pytest.mark.parametrize(("registrar", "kind"), [("1", "1"), ("9", "2"), ("A", "1"), ("N", "2"), ("Y", "1")])
def test_registrars_with_letters_pass_too(registrar: str, kind: str) -> None:
    found = parse_credit_code(make_credit_code(registrar, kind, "430000", 4711))
    assert (found.registrar, found.kind, found.warnings) == (registrar, kind, ())


@given(
    st.sampled_from("123456789ANY"),
    st.integers(min_value=0, max_value=99_999_999),
    st.integers(min_value=0, max_value=17),
    st.sampled_from(CREDIT_ALPHABET),
)
def test_every_single_changed_character_of_a_credit_code_is_caught(
    registrar: str, serial: int, place: int, put: str
) -> None:
    number = make_credit_code(registrar, "1", "430000", serial)
    if number[place] == put:
        return
    with pytest.raises(CreditCodeRefused):
        parse_credit_code(number[:place] + put + number[place + 1 :])


@given(st.integers(min_value=0, max_value=99_999_999), st.integers(min_value=0, max_value=16))
def test_every_swap_of_neighbours_in_a_credit_code_is_caught(serial: int, place: int) -> None:
    number = make_credit_code("9", "1", "430000", serial)
    if number[place] == number[place + 1]:
        return
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(CreditCodeRefused):
        parse_credit_code(swapped)


def test_a_wrong_organisation_code_under_a_right_last_character_is_refused() -> None:
    body = "9143000012345678" + ("0" if organisation_check("12345678") != "0" else "1")
    with pytest.raises(CreditCodeRefused) as refusal:
        parse_credit_code(body + credit_check(body))
    assert refusal.value.code == "credit_code.organisation_check"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("11430000000000019", "credit_code.form"),
        ("I14300000000000190", "credit_code.form"),
        ("B14300000000000190", "credit_code.registrar"),
        ("114300000000000191", "credit_code.check_digit"),
    ],
)
def test_a_wrong_credit_code_is_refused_with_its_reason(number: str, code: str) -> None:
    with pytest.raises(CreditCodeRefused) as refusal:
        parse_credit_code(number)
    assert refusal.value.code == code
    assert number not in str(refusal.value)


def test_an_unknown_kind_or_division_of_a_credit_code_warns() -> None:
    assert [w.code for w in parse_credit_code(make_credit_code("9", "7", "430000", 1)).warnings] == [
        "credit_code.kind_unknown"
    ]
    assert [w.code for w in parse_credit_code(make_credit_code("9", "1", "999999", 1)).warnings] == [
        "credit_code.division_unknown"
    ]
    with pytest.raises(CreditCodeRefused):
        make_credit_code("9", "1", "43", 1)
    with pytest.raises(CreditCodeRefused):
        make_credit_code("9", "1", "430000", -1)


# --- GB/T 2260 --------------------------------------------------------------------------------------------------


def test_a_code_bears_the_name_of_its_year() -> None:
    old = queries.find_division(code="430202", year=1990)
    new = queries.find_division(code="430202", year=2020)
    assert old is not None
    assert new is not None
    assert (old.name, new.name) == ("东区", "荷塘区")
    assert not old.is_current
    assert new.is_current
    assert queries.find_division(code="430122", year=2020) is None
    assert queries.find_division(code="000000") is None
    assert queries.find_division(code="430202") == new


def test_full_names_join_province_prefecture_and_county() -> None:
    assert divisions.full_name("430202") == "湖南省株洲市荷塘区"
    assert divisions.full_name("430202", year=1990) == "湖南省株洲市东区"
    assert divisions.full_name("430200") == "湖南省株洲市"
    assert divisions.full_name("430000") == "湖南省"
    assert divisions.full_name("110101") == "北京市东城区"
    assert divisions.full_name("999999") is None


def test_the_whole_country_is_in_the_table() -> None:
    table = divisions.all_divisions()
    assert len(table) > 6_000
    assert len({code[:2] for code in table}) == 34


# --- code tables ------------------------------------------------------------------------------------------------


def test_the_tables_hold_their_standards_rows() -> None:
    ethnic = queries.get_table(name="ethnic_group")
    assert [code for code in ethnic.items if int(code) <= 56] == [f"{n:02d}" for n in range(1, 57)]
    assert (ethnic.label("06"), ethnic.label("15"), ethnic.label("15", "en")) == ("苗族", "土家族", "Tujia")
    relation = queries.get_table(name="household_relation")
    assert (relation.label("02"), relation.label("22"), relation.label("32")) == ("户主", "长子", "长女")
    assert len(relation.items) == 85
    assert list(queries.get_table(name="sex").items) == ["0", "1", "2", "9"]
    assert queries.get_table(name="marital_status").label("23") == "复婚"
    assert "99" not in queries.get_table(name="sex")
    assert queries.get_table(name="sex").label("7") == "7"


def test_every_row_of_every_table_has_both_languages() -> None:
    for table in queries.list_tables():
        for item in table.items.values():
            assert item.zh.strip(), (table.name, item.code)
            assert item.en.strip(), (table.name, item.code)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(UnknownCodeTable) as refusal:
        queries.get_table(name="nowhere")
    assert isinstance(refusal.value, CodeRefused)
    assert refusal.value.code == "codes.table_unknown"


# --- masks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("李小明", "李**"),
        ("李明", "李**"),
        ("欧阳小明", "欧阳**"),
        ("欧阳", "欧**"),
        ("阿依古丽·买买提", "阿**"),
        ("mary jones", "M**"),
        ("李", "*"),
        (" ", ""),
    ],
)
def test_a_masked_name_keeps_the_surname_alone(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_masked_numbers_keep_their_ends() -> None:
    assert mask_number("430190199001021234") == "430****1234"
    assert mask_number("12345678") == "****78"
    assert mask_number("123") == "****"
    assert mask_number("") == ""
    assert mask_phone("138 1234-5678") == "138****5678"


@given(st.text(alphabet="0123456789X", min_size=10, max_size=30))
def test_a_mask_never_shows_the_middle(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == 11
    assert masked[:3] + masked[-4:] == number[:3] + number[-4:]


def test_a_masked_address_stops_at_the_county() -> None:
    assert mask_address("湖南省株洲市荷塘区某路1号") == "湖南省株洲市荷塘区****"
    assert mask_address("somewhere far away") == "somewh****"
    assert mask_address("") == ""
