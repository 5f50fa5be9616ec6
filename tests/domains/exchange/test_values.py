"""Counts by time, causes of errors, and the names of grants."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import yaml
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.exchange.compiling import catalogue_grant, grant_id
from furong.domains.exchange.values import BOUNDS_MS, Cause, added, cause_of, percentile_ms
from furong.sites.workbench.words_exchange import NODE_WARNINGS
from furong_link import traffic
from furong_link.errors import REFUSALS
from furong_link.profile import GRANT

TELLING = ("furong/domains/exchange/figures.py", "furong_link/metrics.py")
counts = st.lists(st.integers(0, 1000), min_size=len(BOUNDS_MS) + 1, max_size=len(BOUNDS_MS) + 1)


def test_gateways_and_centre_count_by_the_same_bounds() -> None:
    assert traffic.BOUNDS_MS == BOUNDS_MS


def test_every_refusal_of_a_gateway_has_one_cause_and_ok_has_none() -> None:
    assert cause_of("ok") is Cause.NONE
    assert {cause_of(code) for code in REFUSALS} == {Cause.CALLER, Cause.GATEWAY, Cause.PROVIDER}
    assert cause_of("provider_timeout") is Cause.PROVIDER
    assert cause_of("evidence_unwritable") is Cause.GATEWAY
    assert cause_of("grant_unknown") is Cause.CALLER
    assert cause_of("peer_unreachable") is Cause.GATEWAY  # a link that is cut is not the caller's to mend
    assert cause_of("file_preparing") is Cause.CALLER


@given(counts, st.floats(0.01, 1.0))
def test_a_percentile_is_a_bound_under_which_that_share_stayed(buckets: list[int], share: float) -> None:
    found = percentile_ms(buckets, share)
    if not sum(buckets):
        assert found is None
        return
    below = sum(n for bound, n in zip(BOUNDS_MS, buckets, strict=False) if found is not None and bound <= found)
    assert below >= share * sum(buckets) or found == BOUNDS_MS[-1]


@given(counts, counts)
def test_adding_counts_loses_none(first: list[int], second: list[int]) -> None:
    assert sum(added(first, second)) == sum(first) + sum(second)


def test_a_grants_name_fits_the_profile_and_leads_back_to_the_catalogues() -> None:
    grant = uuid4()
    name = grant_id(grant, consumer="zz-housing", service="marriages")
    assert GRANT.fullmatch(name)
    assert catalogue_grant(name) == grant
    assert name != grant_id(grant, consumer="hunan", service="marriages")
    assert catalogue_grant("something") is None


def test_every_figure_that_an_alert_names_is_one_that_is_told() -> None:
    root = Path(__file__).parents[3]
    rules = yaml.safe_load((root / "deploy" / "prometheus-alerts.yml").read_text())["groups"][0]["rules"]
    told = "".join((root / "src" / place).read_text() for place in TELLING)
    for rule in rules:
        named = re.findall(r"furong_[a-z0-9_]+", rule["expr"])
        assert named
        assert [one for one in named if one not in told] == []
        kinds = [kind for among in re.findall(r'kind=~"([a-z_|]+)"', rule["expr"]) for kind in among.split("|")]
        assert set(kinds) <= {str(kind) for kind in NODE_WARNINGS}
