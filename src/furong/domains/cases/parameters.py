"""The legal parameters in force, as the pack's ``case_rules`` state them."""

from __future__ import annotations

from datetime import date

from furong.domains.cases.values.rules import DatedParameter, Rules, rules_on
from furong.foundation.packs import queries as packs


def list_parameters(*, on: date) -> tuple[DatedParameter, ...]:
    """Return every dated parameter of the definitions in force on a day. From memory."""

    def make() -> tuple[DatedParameter, ...]:
        releases = packs.list_current_releases(kind="case_rules", on=on)
        return tuple(one for r in releases for one in packs.get_value(kind="case_rules", digest=r.digest))

    return packs.derive("cases.parameters", on=on, make=make)


def current_rules(*, on: date) -> Rules:
    """Return the rules in force on a local day."""
    return packs.derive("cases.rules", on=on, make=lambda: rules_on(on, list_parameters(on=on)))
