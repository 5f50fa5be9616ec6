"""Routes of the exchange."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import exchange, exchange_nodes

urlpatterns = [
    path("exchange", exchange.monitor, name="exchange"),
    path("exchange/nodes", exchange_nodes.nodes, name="exchange_nodes"),
    path("exchange/offered", exchange_nodes.offered, name="exchange_offered"),
    path("exchange/members/new", exchange.admit, name="exchange_admit"),
    path("exchange/members/<slug:member>", exchange.member, name="exchange_member"),
    path("exchange/gateways/<slug:gateway>", exchange.gateway, name="exchange_gateway"),
]
