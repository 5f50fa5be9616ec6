"""Words, dates and numbers as people read them; log lines without what they must not hold."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys

import pytest
from django.utils import translation

from furong.foundation.codes.errors import Fault, Refusal
from furong.foundation.web import logs, problem, texts

NOW = dt.datetime(2026, 11, 22, 1, 42, tzinfo=dt.UTC)  # 09:42 in China


@pytest.mark.parametrize(
    ("language", "value", "told"),
    [("zh-hans", {"zh": "户口", "en": "Household"}, "户口"), ("en", {"zh": "户口", "en": "Household"}, "Household"),
     ("en", {"zh": "户口"}, "户口"), ("en", "plain", "plain"), ("zh-hans", None, ""), ("zh-hans", {}, "")],
)  # fmt: skip
def test_content_text_is_given_in_the_readers_language_or_in_chinese(language: str, value: object, told: str) -> None:
    with translation.override(language):
        assert texts.text(value) == told


@pytest.mark.parametrize(
    ("language", "minutes_ago", "told"),
    [("zh-hans", 0, "今天 09:42"), ("zh-hans", 600, "昨天 23:42"),
     ("en", 600, "yesterday 23:42"),
     ("zh-hans", 4 * 1440, "11 月 18 日"),
     ("en", 4 * 1440, "18 November"), ("zh-hans", 400 * 1440, "2025 年 10 月 18 日")],
)  # fmt: skip
def test_moments_are_told_in_local_time_as_people_say_them(language: str, minutes_ago: int, told: str) -> None:
    with translation.override(language):
        assert texts.recent(NOW - dt.timedelta(minutes=minutes_ago), now=NOW) == told


def test_nothing_counted_is_a_dash_and_not_zero() -> None:
    assert (texts.percent(None), texts.number(None)) == ("—", "—")
    assert (texts.percent(0.0), texts.percent(0.986), texts.number(34180)) == ("0.0%", "98.6%", "34,180")


@pytest.mark.parametrize(
    "text", ["43019019900101004X", "call 13912345678 now", "mail a.b@example.org", "430190900101004"]
)
def test_log_line_masks_what_looks_like_a_person(text: str) -> None:
    assert "[…]" in logs.mask(text)
    assert not any(part in logs.mask(text) for part in ("430190", "139123", "example.org"))


def test_log_line_keeps_ids_and_times() -> None:
    kept = "01a204fc-de1b-762d-be02-515238d3fef5 2026-11-22T20:40:10 took 1234 ms"
    assert logs.mask(kept) == kept


def _line(logger: str, message: str, *args: object, error: BaseException | None = None) -> dict[str, object]:
    info = None
    if error is not None:
        try:
            raise error
        except type(error):
            info = sys.exc_info()
    record = logging.LogRecord(logger, logging.ERROR, __file__, 1, message, args, info)
    line: dict[str, object] = json.loads(logs.JsonFormatter().format(record))
    return line


def test_exception_is_logged_by_class_and_place_never_by_its_text() -> None:
    line = _line("furong.web", "broken", error=ValueError("Key (name)=(张三) already exists"))
    assert "张三" not in json.dumps(line, ensure_ascii=False)
    assert line["exception"][0]["class"] == "builtins.ValueError"  # type: ignore[index]
    assert "test_values.py" in line["exception"][0]["places"][-1]  # type: ignore[index]


def test_other_libraries_arguments_are_left_out() -> None:
    assert _line("procrastinate.worker", "Job %s of %s", "register_birth", "张三")["message"] == "Job %s of %s"


class CaseClosed(Refusal):
    code = "cases.case_closed"
    message = "Case %(number)s is closed."
    mend = "Open a new one."


def test_refusal_becomes_problem_details_of_rfc_9457() -> None:
    told = problem.details(problem.of_refusal(CaseClosed(number="7")), request_id="r")
    assert told["status"] == 409
    assert (told["type"], told["code"]) == ("urn:furong:problem:cases.case_closed", "cases.case_closed")
    assert told["detail"] == "Case 7 is closed."
    assert (told["mend"], told["request_id"]) == ("Open a new one.", "r")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("access.refused", 403),
        ("cases.not_found", 404),
        ("storage.too_large", 413),
        ("anything.else", 409),
        ("organizations.unit_not_found", 404),
        ("population.number_invalid", 422),
        ("anything", 409),
    ],
)
def test_status_follows_the_table(code: str, status: int) -> None:
    assert problem.status_of(code) == status


def test_fault_never_tells_its_text() -> None:
    class DiskFullError(Fault):
        code = "storage.disk_full"

    told = problem.details(problem.of_fault(DiskFullError("/srv/secret is full")))
    assert told["status"] == 500
    assert "secret" not in json.dumps(told)
