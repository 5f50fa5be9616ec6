"""Routes of those who look after the search."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import search, search_pages

urlpatterns = [
    path("search", search.search, name="search"),
    path("search/sites", search_pages.sites, name="search_sites"),
    path("search/sites/<str:code>", search_pages.site, name="search_site"),
    path("search/sites/<str:code>/remove", search_pages.site_remove, name="search_site_remove"),
    path("search/sites/<str:code>/admit", search_pages.admit, name="search_admit"),
    path("search/sites/<str:code>/imports/<uuid:import_id>", search_pages.imported, name="search_import"),
    path("search/pages/<uuid:page_id>", search_pages.kept, name="search_kept"),
    path("search/pages/<uuid:page_id>/remove", search_pages.remove, name="search_kept_remove"),
    path("search/bets/new", search.bet_new, name="search_bet_new"),
    path("search/bets/<int:bet_id>/end", search.bet_end, name="search_bet_end"),
]
