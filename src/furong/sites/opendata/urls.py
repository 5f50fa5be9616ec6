"""Routes of the public face. All are open to everybody; none asks who reads."""

from __future__ import annotations

from django.urls import path

from furong.sites.opendata.views import benefit, ckan, feeds, pages

app_name = "opendata"

urlpatterns = [
    path("opendata/", pages.home, name="home"),
    path("opendata/interface", pages.interface, name="interface"),
    path("opendata/benefit", benefit.benefit, name="benefit"),
    path("opendata/datasets/<str:name>", pages.dataset, name="dataset"),
    path("opendata/data/<str:file>", pages.download, name="download"),
    path("opendata/rows/<str:code>", pages.rows, name="rows"),
    path("catalog.<str:suffix>", feeds.catalog, name="catalog"),
    path("api/3/action/<str:action>", ckan.call, name="ckan"),
    path("api/action/<str:action>", ckan.call, name="ckan_unversioned"),
]
