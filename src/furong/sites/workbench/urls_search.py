"""Routes of those who look after the search."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import search

urlpatterns = [
    path("search", search.search, name="search"),
    path("search/bets/new", search.bet_new, name="search_bet_new"),
    path("search/bets/<int:bet_id>/end", search.bet_end, name="search_bet_end"),
]
