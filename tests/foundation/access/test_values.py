from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.access.values import RIGHTS, Actor, Assurance, Basis, PostRight, Scope, register_right

organizations = st.sampled_from([UUID(int=n) for n in range(1, 5)])
prefixes = st.sampled_from(["43", "4302", "430290", "430291", "4301", "430290001"])
grants = st.one_of(
    st.builds(PostRight, right=st.just("cases.handle"), organization_id=organizations),
    st.builds(PostRight, right=st.just("cases.handle"), division_prefix=prefixes),
    st.builds(PostRight, right=st.just("cases.handle"), organization_id=organizations, division_prefix=prefixes),
)


@given(st.lists(grants, max_size=5), organizations, prefixes)
def test_a_scope_covers_exactly_what_its_grants_cover(given_: list[PostRight], owner: UUID, division: str) -> None:
    scope = Scope.of(given_)
    wanted = any(
        (g.organization_id is None or g.organization_id == owner) and division.startswith(g.division_prefix)
        for g in given_
    )
    assert scope.covers(organization_id=owner, division_code=division) is wanted
    assert scope.is_empty is (not given_)


def test_an_empty_scope_is_false_in_sql_and_everything_is_true() -> None:
    assert Scope().sql(organization_column="o", division_column="d") == ("FALSE", [])
    assert Scope(everything=True).sql(organization_column="o", division_column="d") == ("TRUE", [])


def test_a_grant_over_a_column_that_a_table_lacks_covers_nothing() -> None:
    scope = Scope.of([PostRight(right="r", division_prefix="4302")])
    assert scope.sql(organization_column="o", division_column="") == ("FALSE", [])
    narrowed = Scope.of([PostRight(right="r", organization_id=UUID(int=1), division_prefix="43")])
    assert narrowed.sql(organization_column="o", division_column="") == ("FALSE", [])


@pytest.mark.parametrize("values", [{}, {"everywhere": True, "division_prefix": "43"}])
def test_a_right_that_does_not_say_over_what_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="covers"):
        PostRight(right="cases.handle", **values)  # type: ignore[arg-type]


def test_one_right_cannot_carry_two_names() -> None:
    register_right("test.right", zh="一", en="one")
    register_right("test.right", zh="一", en="one")
    with pytest.raises(ValueError, match="twice"):
        register_right("test.right", zh="二", en="two")
    del RIGHTS["test.right"]


def test_every_right_is_named_in_both_languages() -> None:
    assert RIGHTS
    assert all(right.zh and right.en and "." in right.code for right in RIGHTS.values())


def test_levels_of_assurance_are_ordered() -> None:
    assert Assurance.NONE < Assurance.REGISTERED < Assurance.VERIFIED < Assurance.IN_PERSON
    assert Actor.system("timer").assurance is Assurance.IN_PERSON


def test_a_blank_purpose_is_none() -> None:
    assert not Basis(purpose="  \t").is_stated
    assert Basis(purpose="落户").is_stated
