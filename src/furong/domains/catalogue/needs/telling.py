"""Who is told what of demands and rulings. Messages name elements, numbers and days, and no person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.catalogue.needs import models
from furong.domains.catalogue.queries import get_dictionary
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.foundation.access import queries as access
from furong.foundation.calendar import queries as calendars
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template
from furong.foundation.notices.values import Channel
from furong.foundation.organizations import queries as organizations

register_template(
    "catalogue.demand_filed",
    title={"zh": "新的数据需求：{what}", "en": "A new demand: {what}"},
    body={
        "zh": "{asker}需要“{what}”，目录中没有可申请的资源。请于 {due_on} 前答复（需求 {number}）。",
        "en": "{asker} needs “{what}”, and no resource in the catalogue supplies it. Answer demand {number} by {due_on}.",
    },
)
register_template(
    "catalogue.demand_withdrawn",
    title={"zh": "数据需求已撤回：{what}", "en": "A demand was withdrawn: {what}"},
    body={"zh": "需求 {number} 已撤回，无需答复。", "en": "Demand {number} was withdrawn and needs no answer."},
)
register_template(
    "catalogue.demand_supplied",
    title={"zh": "数据需求已有资源：{what}", "en": "A resource supplies your demand: {what}"},
    body={
        "zh": "{owner}已提供资源满足需求 {number}，请在需求页面提出申请。",
        "en": "{owner} supplies demand {number} by a resource; request it from the demand's page.",
    },
)
register_template(
    "catalogue.demand_promised",
    title={"zh": "数据需求将按期提供：{what}", "en": "Your demand will be supplied: {what}"},
    body={
        "zh": "{owner}承诺于 {due_on} 前满足需求 {number}。",
        "en": "{owner} will supply demand {number} by {due_on}.",
    },
)
register_template(
    "catalogue.demand_refused",
    title={"zh": "数据需求被拒绝：{what}", "en": "Your demand was refused: {what}"},
    body={
        "zh": "{owner}拒绝了需求 {number}，依据和理由见需求页面。您可以在 {due_on} 前提请数据主管部门裁定。",
        "en": "{owner} refused demand {number}; its page gives clause and reason. Until {due_on} you can ask for a ruling.",
    },
)
register_template(
    "catalogue.share_to_rule",
    title={"zh": "共享争议需要裁定：{what}", "en": "A share needs a ruling: {what}"},
    body={
        "zh": "{asker}向{owner}提出的 {number} {ground}，请于 {due_on} 前裁定。",
        "en": "{number}, which {asker} asked of {owner}, {ground}. Rule on it by {due_on}.",
    },
)
register_template(
    "catalogue.share_escalated",
    title={"zh": "已提请裁定：{what}", "en": "Before the data authority: {what}"},
    body={
        "zh": "{number} {ground}，已由数据主管部门受理裁定。",
        "en": "{number} {ground}; the data authority will rule on it.",
    },
)
register_template(
    "catalogue.share_ordered",
    title={"zh": "裁定：应当共享“{what}”", "en": "Ruling: “{what}” is to be shared"},
    body={
        "zh": "数据主管部门裁定，{owner}应当于 {due_on} 前提供（{number}），理由见裁定页面。",
        "en": "The data authority ruled that {owner} supplies it by {due_on} ({number}). Its page says why.",
    },
)
register_template(
    "catalogue.share_upheld",
    title={"zh": "裁定：不予共享“{what}”", "en": "Ruling: “{what}” need not be shared"},
    body={
        "zh": "数据主管部门裁定维持不予共享（{number}），依据的条款见裁定页面。",
        "en": "The data authority upheld the refusal ({number}). Its page cites the clause.",
    },
)
_GROUNDS = {
    "refused": ("被拒绝，申请方有异议", "was refused, and is disputed"),
    "late": ("逾期未答复或未提供", "was not answered or supplied in time"),
}


def tell_owner(row: models.Demand, template: str, *, now: datetime) -> None:
    """Tell those who answer a demand: the owner's data officers, or the data authority's reviewers."""
    right = REVIEW if row.is_unowned else EDIT
    accounts = _accounts(right, row.provider_organization_id, row.provider_division_code, now)
    _send(template, accounts, _of_demand(row, now), key=f"demand:{row.id}:{row.version}", now=now)


def tell_asker(row: models.Demand, template: str, *, now: datetime) -> None:
    """Tell those who asked: the officer who stated the need, and the organisation's data officers."""
    accounts = _accounts(EDIT, row.organization_id, row.division_code, now)
    if row.need.by_account_id is not None:
        accounts.add(row.need.by_account_id)
    _send(template, accounts, _of_demand(row, now), key=f"demand:{row.id}:{row.version}", now=now)


def tell_of_escalation(row: models.Escalation, *, what: Mapping[str, str], now: datetime) -> None:
    """Ask the data authority for its ruling, and tell both sides that it was asked."""
    params = _of_escalation(row, what)
    key = f"ruling:{row.id}"
    authority = _accounts(REVIEW, row.provider_organization_id, row.provider_division_code, now)
    _send("catalogue.share_to_rule", authority, params, key=key, now=now)
    _send("catalogue.share_escalated", _sides(row, now) - authority, params, key=key, now=now)


def tell_of_ruling(row: models.Escalation, *, what: Mapping[str, str], now: datetime) -> None:
    """Tell both sides how the data authority ruled."""
    template = "catalogue.share_ordered" if row.outcome == "order" else "catalogue.share_upheld"
    params = {**_of_escalation(row, what), "due_on": row.supply_by.isoformat() if row.supply_by else ""}
    _send(template, _sides(row, now), params, key=f"ruling:{row.id}", now=now)


def called(row: models.Demand, *, now: datetime) -> Mapping[str, str]:
    """Give what a demand is about in a few words: its element, or the beginning of what its need says."""
    known = get_dictionary(on=calendars.current().local_date(now)).get(row.element) if row.element else None
    if known is not None:
        return known.name.as_dict()
    said = row.need.words
    return {"zh": said if len(said) <= 30 else f"{said[:30]}…"}


def _sides(row: models.Escalation, now: datetime) -> set[UUID]:
    return _accounts(EDIT, row.organization_id, row.division_code, now) | _accounts(
        EDIT, row.provider_organization_id, row.provider_division_code, now
    )


def _accounts(right: str, organization_id: UUID, division_code: str, now: datetime) -> set[UUID]:
    posts = access.nearest_posts(right=right, organization_id=organization_id, division_code=division_code)
    on = calendars.current().local_date(now)
    return set(organizations.accounts_of_posts(post_ids=set(posts), on=on))


def _names(*ids: UUID) -> list[dict[str, str]]:
    found = organizations.labels_of_organizations(organization_ids=ids)
    return [{"zh": found[one].zh, "en": found[one].en or found[one].zh} if one in found else {"zh": "–"} for one in ids]


def _of_demand(row: models.Demand, now: datetime) -> dict[str, Any]:
    asker, owner = _names(row.organization_id, row.provider_organization_id)
    return {
        "demand_id": str(row.id),
        "number": row.number,
        "what": dict(called(row, now=now)),
        "asker": asker,
        "owner": owner,
        "due_on": row.due_on.isoformat() if row.due_on else "",
    }


def _of_escalation(row: models.Escalation, what: Mapping[str, str]) -> dict[str, Any]:
    asker, owner = _names(row.organization_id, row.provider_organization_id)
    zh, en = _GROUNDS[row.ground]
    return {
        "escalation_id": str(row.id),
        "number": row.subject_number,
        "what": dict(what),
        "asker": asker,
        "owner": owner,
        "ground": {"zh": zh, "en": en},
        "due_on": row.due_on.isoformat(),
    }


def _send(template: str, accounts: Iterable[UUID], params: dict[str, Any], *, key: str, now: datetime) -> None:
    for account_id in sorted(accounts):
        notices.send(
            account_id=account_id,
            template=template,
            params=params,
            channels=(Channel.IN_APP,),
            key=f"{key}:{template}:{account_id}",
            now=now,
        )
