"""The workbench's routes. None carries a name or a number of a person."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench import (
    urls_administration,
    urls_catalogue,
    urls_content,
    urls_exchange,
    urls_needs,
    urls_processes,
    urls_registers,
    urls_search,
)
from furong.sites.workbench.views import (
    bookings,
    collection,
    export,
    home,
    notices,
    objections,
    payments,
    supervision,
    work,
)

app_name = "workbench"


urlpatterns = [
    path("", home.home, name="home"),
    path("list", work.work_list, name="work_list"),
    path("list/next", work.next_task, name="next_task"),
    path("cases", work.case_list, name="cases"),
    path("cases/export", export.export, name="export"),
    path("cases/<uuid:case_id>", work.case, name="case"),
    path("cases/<uuid:case_id>/diagram", work.diagram, name="diagram"),
    path("cases/<uuid:case_id>/acts/<slug:code>", work.act, name="act"),
    path("cases/<uuid:case_id>/files/<str:digest>", work.file, name="file"),
    path("cases/<uuid:case_id>/facts/<str:element>/objection", objections.object_to_fact, name="object_to_fact"),
    path("objections", objections.objections, name="objections"),
    path("objections/<uuid:objection_id>", objections.objection, name="objection"),
    path("tasks/<uuid:task_id>/hand-over", work.hand_over, name="hand_over"),
    path("tasks/<uuid:task_id>/<slug:verb>", work.task_act, name="task_act"),
    path("bookings", bookings.calendar, name="bookings"),
    path("bookings/<uuid:booking_id>/attendance", bookings.attendance, name="booking_attendance"),
    path("cases/<uuid:case_id>/fees", payments.fees, name="fees"),
    path("refunds", payments.refunds, name="refunds"),
    path("refunds/<uuid:refund_id>/approve", payments.approve_refund, name="approve_refund"),
    path("payments", payments.reconciliation, name="reconciliation"),
    path("payments/<uuid:difference_id>/settle", payments.settle_difference, name="settle_difference"),
    path("notices", notices.notice_list, name="notices"),
    path("collection", collection.collection, name="collection"),
    path("supervision", supervision.deadlines, name="supervision"),
    path("supervision/call-backs", supervision.call_backs, name="call_backs"),
    path("supervision/call-backs/<uuid:call_back_id>", supervision.call_back, name="call_back"),
    *urls_processes.urlpatterns,
    *urls_registers.urlpatterns,
    *urls_catalogue.urlpatterns,
    *urls_needs.urlpatterns,
    *urls_content.urlpatterns,
    *urls_search.urlpatterns,
    *urls_exchange.urlpatterns,
    *urls_administration.urlpatterns,
]
