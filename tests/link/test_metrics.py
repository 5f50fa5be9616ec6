"""What a gateway tells Prometheus: whose cause an error is, times, and warnings before something ends."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from furong_link.client import Refused
from furong_link.errors import REFUSALS
from furong_link.metrics import Condition, Histogram, cause_of, condition_lines
from tests.link.conftest import Exchange


def _read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _value(found: dict[tuple[str, frozenset[tuple[str, str]]], float], metric: str, /, **labels: str) -> float:
    return found[(metric, frozenset(labels.items()))]


def _scrape(exchange: Exchange) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urllib.request.urlopen(f"http://{exchange.authority}/.furong/metrics") as reply:
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        return _read(reply.read().decode())


def _call(exchange: Exchange, target: str, grant: str) -> None:
    with exchange.link() as link:
        try:
            link.get(target, grant=grant)
        except Refused:
            return


def test_errors_are_told_by_whose_cause_they_are(exchange: Exchange) -> None:
    _call(exchange, "/births/list", "births-for-housing")
    _call(exchange, "/births/broken", "births-for-housing")
    _call(exchange, "/births/list", "others")
    found = _scrape(exchange)
    assert _value(found, "furong_gateway_messages_total", code="ok") == 1
    assert _value(found, "furong_gateway_errors_total", cause="provider") == 1
    assert _value(found, "furong_gateway_errors_total", cause="caller") == 1
    assert _value(found, "furong_gateway_errors_total", cause="gateway") == 0
    assert _value(found, "furong_gateway_seconds_count") == 3
    assert _value(found, "furong_gateway_provider_seconds_count") == 2
    assert _value(found, "furong_gateway_evidence_records") == exchange.gateway.log.tree.size


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_has_a_cause(code: str) -> None:
    whose = cause_of(code)
    assert whose in ("caller", "gateway", "provider", "peer")
    # What a caller cannot mend is not said to be the caller's.
    if REFUSALS[code][0] >= 500:
        assert whose != "caller"


def test_a_quota_nearly_used_and_a_key_near_its_end_are_warned_of(exchange: Exchange) -> None:
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    keys = exchange.payload()["keys"]
    exchange.reconfigure(keys=[key | {"valid_until": soon} for key in keys])
    for _ in range(2):
        _call(exchange, "/files/a", "scarce")
    found = _scrape(exchange)
    assert _value(found, "furong_gateway_quota_used_ratio", grant="scarce") == 1
    assert _value(found, "furong_gateway_warning", kind="quota_nearly_used", name="scarce") == 1
    assert _value(found, "furong_gateway_warning", kind="key_ends", name="hospital/gateway/1") == 1
    left = _value(found, "furong_gateway_key_seconds_left", key="hospital/gateway/1")
    assert 2.9 * 86_400 < left < 3 * 86_400


def test_an_old_configuration_is_warned_of_with_its_age(exchange: Exchange) -> None:
    exchange.clock.shift = 2 * 3600
    found = _scrape(exchange)
    exchange.clock.shift = 0
    assert _value(found, "furong_gateway_warning", kind="configuration_old", name="") == 1
    assert abs(_value(found, "furong_gateway_configuration_age_seconds") - 7200) < 60


def test_a_gateway_without_trouble_warns_of_nothing() -> None:
    fine = Condition(
        now=0.0,
        counts={"ok": 1},
        in_hand=0,
        connections=0,
        records=1,
        segments=0,
        evidence_failed=False,
        configuration_serial=1,
        configuration_age_seconds=1,
        configuration_staleness="fresh",
        keys_until={"a": 1e9},
        certificates_until={"b": 1e9},
    )
    assert fine.warnings() == []
    assert not [name for name, _ in _read("\n".join(condition_lines(fine)) + "\n") if name == "furong_gateway_warning"]
    fine.peers_down, fine.peers_in_doubt, fine.evidence_failed = ["far"], ["other"], True
    fine.certificates_until = {"b": 86_400.0}
    assert [kind for kind, _ in fine.warnings()] == ["evidence", "certificate_ends", "peer_down", "peer_in_doubt"]


def test_a_histogram_counts_each_time_in_every_bucket_that_holds_it() -> None:
    histogram = Histogram()
    for seconds in (0.0005, 0.02, 99.0):
        histogram.observe(seconds)
    found = _read("\n".join(histogram.lines("took_seconds", "a test")) + "\n")
    assert _value(found, "took_seconds_bucket", le="0.001") == 1
    assert _value(found, "took_seconds_bucket", le="0.025") == 2
    assert _value(found, "took_seconds_bucket", le="10.0") == 2
    assert _value(found, "took_seconds_bucket", le="+Inf") == 3
    assert _value(found, "took_seconds_sum") == pytest.approx(99.0205)
