"""What people are told of an objection. Messages name items and resources, nothing of the person concerned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.objections import models
from furong.foundation.access import queries as access
from furong.foundation.audit import queries as audit
from furong.foundation.calendar import queries as calendars
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template
from furong.foundation.notices.values import Channel
from furong.foundation.organizations import queries as organizations

register_template(
    "objections.filed",
    title={"zh": "有人对“{item}”提出异议", "en": "An objection to “{item}”"},
    body={
        "zh": "“{resource}”中的“{item}”有一项数据被指有误，请于 {due_on} 前更正或答复。",
        "en": "A value of “{item}” in “{resource}” is said to be wrong. Correct it or answer by {due_on}.",
    },
)
register_template(
    "objections.corrected",
    title={"zh": "“{item}”已更正", "en": "“{item}” was corrected"},
    body={
        "zh": "您所提异议涉及的“{resource}”中的“{item}”已更正。",
        "en": "The value of “{item}” in “{resource}” that you objected to was corrected.",
    },
)
register_template(
    "objections.refused",
    title={"zh": "“{item}”：对异议的答复", "en": "“{item}”: the answer to your objection"},
    body={
        "zh": "数据提供部门认为“{resource}”中的“{item}”无误，理由见异议页面。您可以在 {due_on} 前请数据主管部门裁定。",
        "en": "The provider holds that “{item}” in “{resource}” is right; the page of your objection says why. "
        "Until {due_on} you can ask the data authority for a ruling.",
    },
)
register_template(
    "objections.read_wrong",
    title={"zh": "您查阅过的“{item}”有误，现已更正", "en": "“{item}”, which you read, was wrong and is corrected"},
    body={
        "zh": "您查阅过的“{resource}”中的“{item}”有一项数据有误，现已更正。请核对据此办理的事项。",
        "en": "A value of “{item}” in “{resource}” that you read was wrong and is now corrected. "
        "Check what you decided by it.",
    },
)
register_template(
    "objections.to_rule",
    title={"zh": "“{item}”的异议需要裁定", "en": "An objection to “{item}” needs a ruling"},
    body={
        "zh": "“{resource}”中的“{item}”的异议需要您裁定：提供部门未按期答复，或提出人不同意答复。",
        "en": "An objection to “{item}” in “{resource}” needs your ruling: the provider is late, or its answer is disputed.",
    },
)
register_template(
    "objections.ruled",
    title={"zh": "“{item}”的异议已裁定", "en": "The objection to “{item}” was ruled on"},
    body={
        "zh": "数据主管部门已对“{resource}”中的“{item}”的异议作出裁定，见异议页面。",
        "en": "The data authority ruled on the objection to “{item}” in “{resource}”; its page says how.",
    },
)


def tell_provider(row: models.Objection, template: str, *, now: datetime) -> None:
    """Tell those who compile the provider's resources."""
    _tell_posts(row, template, right=EDIT, now=now)


def tell_authority(row: models.Objection, *, now: datetime) -> None:
    """Tell the data authority nearest to the provider."""
    _tell_posts(row, "objections.to_rule", right=REVIEW, now=now)


def tell_objector(row: models.Objection, template: str, *, now: datetime) -> None:
    """Tell the account that objected."""
    if row.by_account_id is not None:
        _send(row, template, [(row.by_account_id, None)], now=now)


def tell_readers(row: models.Objection, *, now: datetime) -> int:
    """Tell everybody who read the wrong value while it was wrong, once, and return how many they are.

    Those who objected know already. A message names the case for which the value was read.
    """
    since = None if row.wrong_since is None else calendars.current().start_of_day(row.wrong_since)
    readers = audit.list_readers(
        person_id=row.person_id, object_id=row.subject_key, fields=row.elements, since=since, until=now
    )
    told: dict[UUID, UUID | None] = {}
    for reader in readers:
        if reader.account_id != row.by_account_id:
            told[reader.account_id] = told.get(reader.account_id) or reader.case_id
    _send(row, "objections.read_wrong", told.items(), now=now)
    return len(told)


def _tell_posts(row: models.Objection, template: str, *, right: str, now: datetime) -> None:
    posts = access.nearest_posts(right=right, organization_id=row.provider_id, division_code=row.provider_division)
    on = calendars.current().local_date(now)
    accounts = organizations.accounts_of_posts(post_ids=set(posts), on=on)
    _send(row, template, [(account_id, None) for account_id in accounts], now=now)


def _send(row: models.Objection, template: str, to: Iterable[tuple[UUID, UUID | None]], *, now: datetime) -> None:
    params: dict[str, Any] = {
        "resource": dict(row.resource_name),
        "item": dict(row.item_name),
        "due_on": row.due_on.isoformat() if row.due_on else "",
        "objection_id": str(row.id),
    }
    for account_id, case_id in to:
        notices.send(
            account_id=account_id,
            template=template,
            params=params if case_id is None else {**params, "case_id": str(case_id)},
            case_id=case_id,
            channels=(Channel.IN_APP,),
            key=f"objection:{row.id}:{row.version}:{template}:{account_id}",
            now=now,
        )
