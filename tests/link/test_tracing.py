"""Traces of two gateways, as a collector hears them: one trace a message, no word of a stranger and no path."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from furong_link.client import Refused
from furong_link.tracing import TracingSettings, trace_of
from tests.link.conftest import Exchange, _free_port
from tests.link.two import Two


class Collector:
    """Takes spans as a collector does."""

    def __init__(self) -> None:
        taken: list[dict[str, Any]] = []
        self.taken = taken

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/json")
                for resource in content["resourceSpans"]:
                    where = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
                    assert where["service.name"] == "furong-gateway"
                    for scope in resource["scopeSpans"]:
                        taken.extend(span | {"at": where["service.instance.id"]} for span in scope["spans"])
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.stop()


def test_a_message_through_two_gateways_is_one_trace_of_four_spans_that_the_provider_joins(
    prepared: Exchange, tmp_path: Path, collector: Collector
) -> None:
    two = Two(prepared, tmp_path / "two", settings={"telemetry": TracingSettings(address=collector.address)})
    two.start()
    try:
        with two.link() as link:
            answer = link.get("/births/list", grant="births-for-housing")
            with pytest.raises(Refused):
                link.get("/births/list", grant="no-such-grant")
    finally:
        two.stop()  # what waits is sent
    spans = [span for span in collector.taken if span["traceId"] == trace_of(answer.message)]
    near, asked, far, behind = sorted(spans, key=lambda span: (int(span["startTimeUnixNano"]), span["at"] == "far"))
    assert [span["at"] for span in (near, asked, far, behind)] == ["near", "near", "far", "far"]
    assert [span["kind"] for span in (near, asked, far, behind)] == [2, 3, 2, 3]
    assert "parentSpanId" not in near
    assert [span["parentSpanId"] for span in (asked, far, behind)] == [near["spanId"], asked["spanId"], far["spanId"]]
    assert prepared.seen[-1][2]["traceparent"] == f"00-{behind['traceId']}-{behind['spanId']}-01"
    assert all(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) for span in spans)
    told = {one["key"]: next(iter(one["value"].values())) for one in far["attributes"]}
    assert told == {
        "http.request.method": "GET",
        "http.response.status_code": "200",
        "furong.outcome": "ok",
        "furong.consumer": "housing",
        "furong.system": "housing/gateway/1",
        "furong.grant": "births-for-housing",
        "furong.service": "births",
    }
    (refused,) = (span for span in collector.taken if span["traceId"] != trace_of(answer.message))
    assert refused["status"] == {"code": 2, "message": "grant_unknown"}
    assert "/births" not in json.dumps(collector.taken)  # a path may say whom it is about


def test_a_share_of_messages_is_traced_and_a_collector_that_is_away_costs_its_spans_alone(
    prepared: Exchange, collector: Collector
) -> None:
    for share, address, told in ((0.0, collector.address, 0), (1.0, f"http://127.0.0.1:{_free_port()}", 2)):
        prepared.settings["telemetry"] = TracingSettings(address=address, share=share)
        prepared.start()
        tracer = prepared.gateway._tracer
        try:
            with prepared.link() as link:
                assert link.get("/births/list", grant="births-for-housing").status == 200
        finally:
            prepared.stop()
        assert tracer is not None
        assert (tracer.sent, tracer.dropped) == (0, told)
    assert collector.taken == []
    for wrong in ({"address": "collector:4318"}, {"address": "http://a", "share": 1.5}):
        with pytest.raises(ValueError, match="telemetry"):
            TracingSettings(**wrong)  # type: ignore[arg-type]
