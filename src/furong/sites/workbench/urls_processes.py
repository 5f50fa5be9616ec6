"""Routes of processes: figures, instances, incidents. An instance is named by its key, a cause by a digest."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import incidents, instances, processes

urlpatterns = [
    path("processes", processes.process_list, name="processes"),
    path("processes/waiting", processes.waiting, name="waiting"),
    path("processes/instances/<uuid:instance_id>", instances.instance, name="process_instance"),
    path("processes/instances/<uuid:instance_id>/diagram", instances.instance_diagram, name="process_instance_diagram"),
    path(
        "processes/instances/<uuid:instance_id>/acts/<slug:verb>", instances.instance_act, name="process_instance_act"
    ),
    path("processes/<slug:digest>", processes.process, name="process"),
    path("processes/<slug:digest>/diagram", processes.process_diagram, name="process_diagram"),
    path("processes/<slug:digest>/instances", processes.instance_list, name="process_instances"),
    path("processes/<slug:digest>/migration", instances.migration, name="process_migration"),
    path("supervision/incidents", incidents.incidents, name="incidents"),
    path("supervision/incidents/<uuid:incident_id>/<slug:verb>", incidents.incident_act, name="incident_act"),
    path("supervision/causes/<slug:cause>/<slug:verb>", incidents.cause_act, name="cause_act"),
]
