"""Tables of the reference that are read out of the code: ``python -m tests.docs.tables`` writes docs/reference/errors.md anew."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import furong
import furong_link
from furong_link.errors import REFUSALS, LinkError

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "furong"
LINK = ROOT / "src" / "furong_link"
ERRORS = ROOT / "docs" / "reference" / "errors.md"

# One sentence a line, as in every document.
INTRODUCTION = """# Refusals and faults

A *refusal* states a fact that the person can act on; a *fault* is the operator's.
Each has a `code` that does not change; rooms know codes and no HTTP.
`foundation/web/problem.py` has the one table from codes to statuses.
A program gets problem details (RFC 9457) whose `type` is `urn:furong:problem:CODE`, with `code`, `mend` and `request_id` added.
A person gets a page that says what happened, what is kept and what to do.
No message carries a name or a number; what stands as `%(name)s` is filled in.

`tests/docs` writes this page out of the code and compares it.
"""


def _families() -> Iterator[type[Exception]]:
    """Give every class of the two families that has a code of its own, in every room."""
    for module in pkgutil.walk_packages(furong.__path__, "furong."):
        if re.search(r"\.errors(\.|$)", module.name):
            importlib.import_module(module.name)
    importlib.import_module(
        "furong.entrypoints.urls"
    )  # and with it every page, some of which have a refusal of their own
    from furong.foundation.codes.errors import Fault, Refusal

    waiting: list[type[Exception]] = [Refusal, Fault]
    while waiting:
        one = waiting.pop()
        if one.__module__.startswith("furong."):
            waiting += one.__subclasses__()
            if one not in {Refusal, Fault} and "code" in vars(one):
                yield one


def error_rows() -> tuple[list[str], list[str]]:
    """Give the rows of refusals and of faults, sorted by code."""
    from furong.foundation.codes.errors import Refusal
    from furong.foundation.web.problem import status_of

    refusals, faults = set(), set()
    for one in _families():
        code = str(vars(one)["code"])
        if issubclass(one, Refusal):
            message = " ".join(str(one.message).split()).replace("|", "\\|")
            refusals.add(f"| `{code}` | {status_of(code)} | {message} |")
        else:
            words = " ".join((one.__doc__ or "").split()).partition(". ")[0].rstrip(".").replace("|", "\\|")
            faults.add(f"| `{code}` | {words} |")
    return sorted(refusals), sorted(faults)


def errors_page() -> str:
    """Give the page of refusals and faults as the code has them."""
    refusals, faults = error_rows()
    return "\n".join(
        [
            INTRODUCTION,
            "## Refusals",
            "",
            "| code | status | message |",
            "|---|---|---|",
            *refusals,
            "",
            "## Faults",
            "",
            "A fault is answered with 500 and its code; its own words go to the log, without personal data.",
            "",
            "| code | what |",
            "|---|---|",
            *faults,
            "",
            "## The exchange",
            "",
            "What a gateway of the exchange answers with, signed, as problem details with this `code`.",
            "A fault of a gateway or its client is its operator's; it never crosses the wire.",
            "",
            "| code | status | message |",
            "|---|---|---|",
            *exchange_rows()[0],
            "",
            "| fault | what |",
            "|---|---|",
            *exchange_rows()[1],
            "",
        ]
    )


def exchange_rows() -> tuple[list[str], list[str]]:
    """Give the rows of the exchange's refusals and faults, sorted by code; `furong_link` has families of its own."""
    for module in pkgutil.walk_packages(furong_link.__path__, "furong_link."):
        importlib.import_module(module.name)
    refusals = [f"| `{code}` | {status} | {title} |" for code, (status, title) in sorted(REFUSALS.items())]
    waiting, faults = [LinkError], set()
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.startswith("furong_link") and "code" in vars(one) and one is not LinkError:
            words = " ".join((one.__doc__ or "").split()).partition(". ")[0].rstrip(".").replace("|", "\\|")
            faults.add(f"| `{one.code}` | {words} |")
    return refusals, sorted(faults)


def environment_variables() -> set[str]:
    """Give the names of the environment variables that the source reads."""
    found: set[str] = set()
    for path in (*SOURCE.rglob("*.py"), *LINK.rglob("*.py")):
        found |= set(re.findall(r"\bFURONG_[A-Z_]+\b", path.read_text()))
    return found


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")
    import django

    django.setup()
    ERRORS.write_text(errors_page())
