"""Terms compared: no grant is wider than its request, and passing on never widens, however terms are combined."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from furong.domains.catalogue.grants.values import Terms
from furong.foundation.access.terms import CompiledGrant, Rank, Reading, SharedResource, weigh
from furong.foundation.organizations.values import prefix_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = ("a", "b", "c", "d")
DIVISIONS = ("430000", "430200", "430202", "430300", "430302001")
RESOURCE = SharedResource(
    code="r",
    organization_id=UUID(int=1),
    department="",
    division_prefix="",
    live=True,
    rank=Rank.UNCONDITIONAL,
    items=dict.fromkeys(ITEMS, Rank.UNCONDITIONAL),
)


def some(values: tuple[str, ...], smallest: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, min_size=smallest).map(lambda found: tuple(sorted(found)))


TERMS = st.builds(
    Terms,
    items=some(ITEMS, 1),
    days=st.integers(1, 40),
    divisions=some(DIVISIONS),
    by_subject=st.booleans(),
    services=some(("s1", "s2")),
    methods=some(("interface", "file"), 1),
    daily_quota=st.none() | st.integers(1, 5),
    with_lower=st.booleans(),
    delegable=st.booleans(),
)
READING = st.builds(
    Reading,
    items=some(ITEMS, 1).map(frozenset),
    now=st.integers(-1, 41).map(lambda days: BEGIN + timedelta(days=days)),
    divisions=some(("430202", "430203", "430302001", "430000", "110000"), 1).map(frozenset),
    method=st.sampled_from(("interface", "file")),
    service=st.sampled_from(("", "s1", "s2")),
    is_for_case=st.booleans(),
    subjects=st.integers(1, 2),
)


def compiled(terms: Terms) -> CompiledGrant:
    return CompiledGrant(
        id=UUID(int=2),
        resource="r",
        organization_id=UUID(int=3),
        items=frozenset(terms.items),
        divisions=tuple(prefix_of(code) for code in terms.divisions),
        by_subject=terms.by_subject,
        services=frozenset(terms.services),
        methods=frozenset(terms.methods),
        valid_from=BEGIN,
        valid_until=BEGIN + timedelta(days=terms.days),
        daily_quota=terms.daily_quota,
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Terms, Terms]:
    """Terms within others: each part either drawn anew, kept only where nothing is named as beyond, or taken over."""
    wide, narrow = draw(TERMS), draw(TERMS)
    for name in narrow.exceeds(wide):
        narrow = replace(narrow, **{name: getattr(wide, name)})
    return narrow, wide


@given(pairs(), READING)
def test_what_terms_within_others_admit_the_others_admit_too(pair: tuple[Terms, Terms], reading: Reading) -> None:
    narrow, wide = pair
    assert not narrow.exceeds(wide)
    if weigh(compiled(narrow), reading, RESOURCE) is None:
        assert weigh(compiled(wide), reading, RESOURCE) is None
    if wide.daily_quota is not None:
        assert narrow.daily_quota is not None
        assert narrow.daily_quota <= wide.daily_quota


@given(TERMS, TERMS, TERMS)
def test_to_be_within_is_an_order_so_a_chain_of_passing_on_never_widens(a: Terms, b: Terms, c: Terms) -> None:
    assert a.exceeds(a) == ()
    if not a.exceeds(b) and not b.exceeds(c):
        assert not a.exceeds(c)


@given(TERMS, READING)
def test_whatever_widens_one_term_is_named(terms: Terms, reading: Reading) -> None:
    assert replace(terms, days=terms.days + 1).exceeds(terms) == ("days",)
    if len(terms.items) < len(ITEMS):
        assert replace(terms, items=ITEMS).exceeds(terms) == ("items",)
    if terms.divisions and "430000" not in terms.divisions:
        assert "divisions" in replace(terms, divisions=()).exceeds(terms)
    if terms.services:
        assert "services" in replace(terms, services=()).exceeds(terms)
    if terms.by_subject:
        assert replace(terms, by_subject=False).exceeds(terms) == ("by_subject",)
    if terms.daily_quota is not None:
        assert replace(terms, daily_quota=None).exceeds(terms) == ("daily_quota",)


@given(TERMS)
def test_terms_are_kept_as_they_are(terms: Terms) -> None:
    assert Terms.of_json(terms.as_json()) == terms
