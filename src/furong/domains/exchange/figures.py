"""The exchange's figures for Prometheus, from what gateways reported. Labels are codes of members, gateways and refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from furong.domains.exchange import issuing, models
from furong.domains.exchange.nodes import queries as nodes
from furong.domains.exchange.nodes.joining import live
from furong.domains.exchange.nodes.values import Relation
from furong.domains.exchange.values import GatewayState, cause_of

SPAN = timedelta(minutes=5)


class ExchangeFigures:
    """What a scrape asks: the last five minutes' messages, and how each gateway stands. Nothing when the database is away."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges. Cost: five small reads."""
        now = timezone.now()
        messages = GaugeMetricFamily(
            "furong_exchange_messages_5m",
            "Messages of the last five minutes by who can mend what went wrong (none: nothing did).",
            labels=["gateway", "service", "cause"],
        )
        held = GaugeMetricFamily(
            "furong_exchange_held_serial", "The configuration a gateway holds.", labels=["gateway"]
        )
        seen = GaugeMetricFamily(
            "furong_exchange_seen_seconds", "Seconds since a gateway was last heard of.", labels=["gateway"]
        )
        unreached = GaugeMetricFamily(
            "furong_exchange_unreached", "1 while a restriction has not reached the gateway.", labels=["gateway"]
        )
        ages = GaugeMetricFamily(
            "furong_exchange_node_age_seconds", "Age of what another node gave last.", labels=["node", "relation"]
        )
        warned = GaugeMetricFamily(
            "furong_exchange_node_warning",
            "1 for what the operator should look at of another node: node_late when its document is older than due.",
            labels=["node", "relation", "kind"],
        )
        serial = GaugeMetricFamily("furong_exchange_serial", "The newest configuration.")
        try:
            serial.add_metric([], int(issuing.status(now=now).get("serial", 0)))
            counted: Counter[tuple[str, str, str]] = Counter()
            rows = models.Traffic.objects.filter(minute__gt=now - SPAN).values("gateway", "service", "outcome")
            for row in rows.annotate(total=Sum("messages")):
                counted[(row["gateway"], row["service"], cause_of(row["outcome"]).value)] += row["total"]
            for labels, total in sorted(counted.items()):
                messages.add_metric(list(labels), total)
            for gateway in models.Gateway.objects.filter(state=GatewayState.LIVE.value).order_by("code"):
                held.add_metric([gateway.code], gateway.held_serial)
                unreached.add_metric([gateway.code], 1 if gateway.told_error else 0)
                if gateway.seen_at is not None:
                    seen.add_metric([gateway.code], (now - gateway.seen_at).total_seconds())
            for relation in Relation:
                for node in live(relation):
                    if node.taken_issued_at is not None:
                        ages.add_metric([node.code, relation.value], (now - node.taken_issued_at).total_seconds())
            for node_view in nodes.list_troubled(now=now):
                for kind in node_view.warnings:
                    warned.add_metric([node_view.code, node_view.relation.value, kind], 1)
        except DatabaseError:
            return
        yield from (serial, messages, held, seen, unreached, ages, warned)
