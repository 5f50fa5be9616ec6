"""What the catalogue brings: resources for everybody and for staff, demands for their two sides and the data authority."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from furong.domains.catalogue import following
from furong.domains.search import queries, sources
from furong.domains.search.feeding_catalogue import Demands, Resources
from furong.domains.search.labels import labels_of_row, labels_of_scope
from furong.domains.search.values import STAFF, Kind, Query
from furong.foundation.access.values import Actor, PostRight, Scope
from furong.foundation.codes.ids import new_id
from tests.domains.catalogue.needs.test_commands import ELEMENT, state, take_offline, the_demand
from tests.domains.catalogue.test_grants import member
from tests.domains.catalogue.test_queries import reviewer
from tests.domains.search.conftest import TODAY

STRANGER = Actor.anonymous()
RIGHT = "catalogue.edit"


def found(text: str, actor: Actor, **more: Any) -> list[str]:
    results = queries.search(query=Query(text=text, today=TODAY, size=50, **more), actor=actor)
    return [hit.key for hit in (*results.cards, *results.page.hits)]


class OneResource(Resources):
    """Resources, of which the index takes one only: making it of all takes longer than asking it."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def stamps(self) -> Mapping[str, str]:
        return {f"resource:{self.code}": "1"}


@pytest.mark.usefixtures("platform")
def test_staff_find_what_they_share_and_demands_that_concern_them_and_strangers_neither(
    follow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = next(iter(following.list_shared_stamps()))
    monkeypatch.setattr(sources, "_SOURCES", {"resource": OneResource(code), "demand": Demands()})
    take_offline(ELEMENT)
    asks, owner, other = member("human_resources"), member("disabled_persons"), member("civil_affairs")
    demand = the_demand(state(asks, "残疾等级", elements=[ELEMENT]), asks)
    follow()
    (shared,) = following.list_shared(codes=[code])
    assert f"resource:{code}" in found(shared.name["zh"], asks)
    assert f"resource:{code}" not in found(shared.name["zh"], STRANGER)
    key = f"demand:{demand.line.id}"
    asked = {"text": demand.line.number, "kinds": (Kind.DEMAND.value,)}
    for sees in (asks, owner, reviewer()):
        assert found(actor=sees, **asked) == [key]
    for does_not in (other, STRANGER):
        assert found(actor=does_not, **asked) == []
    assert queries.address_to_open(key=key, actor=owner, on=TODAY) == f"/work/demands/{demand.line.id}"
    results = queries.search(query=Query(text="残疾等级", today=TODAY), actor=other)
    assert "demand" not in {one.value for one in results.page.facets["kind"]}


def test_labels_of_rows_and_of_scopes_meet_exactly_where_a_scope_covers_a_row() -> None:
    ours, theirs = new_id(), new_id()
    rows = [(ours, "430202001"), (theirs, "430202"), (theirs, "430103"), (ours, "")]
    grants = [
        PostRight(right=RIGHT, organization_id=None, division_prefix="4302"),
        PostRight(right=RIGHT, organization_id=ours, division_prefix=""),
        PostRight(right=RIGHT, organization_id=theirs, division_prefix="4301"),
    ]
    scopes = [Scope(everything=True), Scope(), *(Scope.of([one]) for one in grants), Scope.of(grants)]
    for scope in scopes:
        brought = labels_of_scope(right=RIGHT, scope=scope)
        for organization_id, division in rows:
            carried = labels_of_row(right=RIGHT, organization_id=organization_id, division_code=division)
            covers = scope.covers(organization_id=organization_id, division_code=division)
            assert bool(brought & set(carried)) == covers, (scope, division)
        other = labels_of_scope(right="catalogue.review", scope=scope)
        assert not other & set(labels_of_row(right=RIGHT, organization_id=ours, division_code="4302"))
    assert STAFF not in labels_of_scope(right=RIGHT, scope=Scope(everything=True))
