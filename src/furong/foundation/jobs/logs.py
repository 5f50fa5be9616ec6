"""procrastinate writes every job's arguments into its log lines; ours name the job and its number."""

from __future__ import annotations

import logging
import re

from furong.foundation.events.values import describe_error

_ARGUMENTS = re.compile(r"(\w[\w.]*\[\d+\])\(.*\)", re.DOTALL)


class WithoutArguments(logging.Filter):
    """Cut arguments out of procrastinate's records, both from the message and from the structured extra."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _ARGUMENTS.sub(r"\1", record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[1] is not None:  # its words may quote what was worked on
            record.error = describe_error(record.exc_info[1])
            record.exc_info = record.exc_text = None
        for name in ("job", "jobs", "args", "task_kwargs", "result", "job_result"):
            if name in record.__dict__:
                found = record.__dict__[name]
                if isinstance(found, dict):
                    record.__dict__[name] = {
                        k: found[k] for k in ("id", "task_name", "queue", "attempts", "status") if k in found
                    }
                elif name != "args":
                    record.__dict__[name] = None
        return True


def strip_arguments() -> None:
    """Put the filter on the loggers of procrastinate that speak of jobs."""
    for name in (
        "procrastinate",
        "procrastinate.worker",
        "procrastinate.worker.worker",
        "procrastinate.manager",
        "procrastinate.jobs",
    ):
        logger = logging.getLogger(name)
        if not any(isinstance(one, WithoutArguments) for one in logger.filters):
            logger.addFilter(WithoutArguments())
