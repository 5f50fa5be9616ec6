"""The portal's routes. None carries a name or a number of a person."""

from __future__ import annotations

from django.urls import path

from furong.sites.portal.views import applying, entities, objecting, offering, public, searching, space

app_name = "portal"

urlpatterns = [
    path("", public.home, name="home"),
    path("search", searching.search, name="search"),
    path("search/suggest", searching.suggest, name="search_suggest"),
    path("search/place", searching.place, name="search_place"),
    path("search/open/<str:key>", searching.opened, name="search_open"),
    path("office/<uuid:organization_id>", searching.office, name="office"),
    path("life/<slug:code>", public.life_event, name="life_event"),
    path("life/<slug:code>/start", applying.start, name="start"),
    path("guide/<slug:code>", public.guide, name="guide"),
    path("guide/<slug:code>/start", applying.start_item, name="start_item"),
    path("services/", offering.clusters, name="clusters"),
    path("services/<slug:code>", offering.cluster, name="cluster"),
    path("list/<slug:number>", offering.implementation, name="implementation"),
    path("firms", entities.firms, name="firms"),
    path("firms/name", entities.firm_name, name="firm_name"),
    path("firms/<slug:code>", entities.firm, name="firm"),
    path("about/<slug:page>", public.about, name="about"),
    path("verify/", public.verify, name="verify"),
    path("verify/<str:token>", public.verify, name="verify_token"),
    path("apply/<uuid:draft_id>", applying.draft, name="draft"),
    path("apply/<uuid:draft_id>/check", applying.check, name="check"),
    path("apply/<uuid:draft_id>/page/<str:page>", applying.page, name="page"),
    path("my/", space.overview, name="space"),
    path("my/drafts/<uuid:draft_id>/discard", space.discard, name="discard"),
    path("my/applications/<uuid:application_id>", space.application, name="application"),
    path("my/applications/<uuid:application_id>/withdraw", space.withdraw, name="withdraw"),
    path("my/applications/<uuid:application_id>/<uuid:case_id>/supplement", space.supplement, name="supplement"),
    path("my/applications/<uuid:application_id>/<uuid:case_id>/files/<slug:digest>", space.file, name="file"),
    path("my/applications/<uuid:application_id>/<uuid:case_id>/rate", space.rate, name="rate"),
    path("my/applications/<uuid:application_id>/<uuid:case_id>/review", space.ask_review, name="review"),
    path("my/documents/<uuid:document_id>", space.document, name="document"),
    path("my/consents/<uuid:consent_id>", space.consent, name="consent"),
    path("my/licences", space.folder, name="folder"),
    path("my/licences/<uuid:licence_id>", space.licence, name="licence"),
    path("my/licences/<uuid:licence_id>/file", space.licence_file, name="licence_file"),
    path("my/corrections", objecting.objections, name="objections"),
    path("my/corrections/new/<str:element>", objecting.object_to, name="object_to"),
    path("my/corrections/<uuid:objection_id>", objecting.objection, name="objection"),
    path("my/reads", space.reads, name="reads"),
    path("my/messages", space.messages, name="messages"),
    path("my/messages/<uuid:message_id>", space.message, name="message"),
]
