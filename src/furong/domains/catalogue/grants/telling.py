"""Who is told what becomes of a grant: the officers of the organisation that uses it and the stewards of the one that provides.

Follows this room's events, each handled once; a message carries the event's key. What was passed on from a grant rests and comes
back with it, so those who hold it are told too. Messages name resource, number and day, and no person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from furong.domains.catalogue import models
from furong.domains.catalogue.events import GrantInForce, GrantNearlyOver, GrantOutOfForce
from furong.domains.catalogue.grants.values import GrantAct, GrantState
from furong.domains.catalogue.sight import EDIT
from furong.foundation.access import queries as access
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template
from furong.foundation.notices.values import Channel
from furong.foundation.organizations import queries as organizations

register_template(
    "catalogue.grant_in_force",
    title={"zh": "“{resource}”的授权已生效", "en": "The grant of “{resource}” is in force"},
    body={
        "zh": "{grantee}使用“{resource}”的授权 {number} 已生效[[，有效期至 {until_on}]]。",
        "en": "{grantee} may use “{resource}” by grant {number}[[, until {until_on}]].",
    },
)
register_template(
    "catalogue.grant_nearly_over",
    title={"zh": "“{resource}”的授权 {days} 天后到期", "en": "The grant of “{resource}” expires in {days} days"},
    body={
        "zh": "{grantee}使用“{resource}”的授权 {number} 将于 {until_on} 到期，到期后不能再读取。仍有需要的，请重新申请。",
        "en": "{grantee}'s grant {number} of “{resource}” ends on {until_on}; nothing is read by it from then on. "
        "Ask anew if it is still needed.",
    },
)
register_template(
    "catalogue.grant_unused",
    title={"zh": "“{resource}”的授权因未使用而中止", "en": "The grant of “{resource}” was suspended as unused"},
    body={
        "zh": "{grantee}使用“{resource}”的授权 {number} 连续 {idle} 天未使用，已自动中止。仍有需要的，可请提供部门恢复。",
        "en": "{grantee}'s grant {number} of “{resource}” was not used for {idle} days and is suspended. "
        "The provider can resume it if it is still needed.",
    },
)
register_template(
    "catalogue.grant_suspended",
    title={"zh": "“{resource}”的授权已中止", "en": "The grant of “{resource}” was suspended"},
    body={
        "zh": "{grantee}使用“{resource}”的授权 {number} 已中止，目前不能读取。理由见授权页面。",
        "en": "{grantee}'s grant {number} of “{resource}” is suspended: nothing is read by it for now. Its page says why.",
    },
)
register_template(
    "catalogue.grant_revoked",
    title={"zh": "“{resource}”的授权已撤销", "en": "The grant of “{resource}” was revoked"},
    body={
        "zh": "{grantee}使用“{resource}”的授权 {number} 已撤销，不能再读取。理由见授权页面。",
        "en": "{grantee}'s grant {number} of “{resource}” is revoked: nothing is read by it any more. Its page says why.",
    },
)
register_template(
    "catalogue.grant_expired",
    title={"zh": "“{resource}”的授权已到期", "en": "The grant of “{resource}” has expired"},
    body={
        "zh": "{grantee}使用“{resource}”的授权 {number} 已于 {until_on} 到期。仍有需要的，请重新申请。",
        "en": "{grantee}'s grant {number} of “{resource}” ended on {until_on}. Ask anew if it is still needed.",
    },
)
_OVER = {
    GrantState.SUSPENDED: "catalogue.grant_suspended",
    GrantState.REVOKED: "catalogue.grant_revoked",
    GrantState.EXPIRED: "catalogue.grant_expired",
}


def follow() -> None:
    """Subscribe to what becomes of grants. Calling it again changes nothing."""
    subscribe(GrantInForce, on_in_force, name="catalogue.tell_grant_in_force")
    subscribe(GrantOutOfForce, on_out_of_force, name="catalogue.tell_grant_out_of_force")
    subscribe(GrantNearlyOver, on_nearly_over, name="catalogue.tell_grant_nearly_over")


def on_in_force(event: GrantInForce, delivery: Delivery) -> None:
    """Tell both sides that a grant may be used, and those to whom it was passed on that it may again."""
    for grant in _family(UUID(event.id)):
        _tell(grant, "catalogue.grant_in_force", delivery)


def on_out_of_force(event: GrantOutOfForce, delivery: Delivery) -> None:
    """Tell both sides, and those to whom it was passed on, that a grant may not be used, and which way."""
    template = _OVER[GrantState(event.state)]
    if event.act == GrantAct.SUSPEND_UNUSED:
        template = "catalogue.grant_unused"
    for grant in _family(UUID(event.id)):
        # What was passed on rests with it, used or not.
        own = str(grant.id) == event.id
        _tell(grant, template if own else _OVER[GrantState(event.state)], delivery)


def on_nearly_over(event: GrantNearlyOver, delivery: Delivery) -> None:
    """Tell both sides that a grant ends in so many days, unless it is over already."""
    grant = models.Grant.objects.filter(id=UUID(event.id)).first()
    if grant is not None and not GrantState(grant.state).is_over:
        _tell(grant, "catalogue.grant_nearly_over", delivery, days=event.days)


def _family(grant_id: UUID) -> Iterator[models.Grant]:
    """The grant, and what was passed on from it and would be in force by itself; what ended on its own was told by itself."""
    level = list(models.Grant.objects.filter(id=grant_id))
    while level:
        yield from level
        level = list(
            models.Grant.objects.filter(
                parent_id__in=[one.id for one in level], state=GrantState.ACTIVE.value
            ).order_by("number")
        )


def _tell(grant: models.Grant, template: str, delivery: Delivery, **more: Any) -> None:
    on = calendars.current().local_date(delivery.now)
    posts: set[UUID] = set()
    for organization_id, division_code in (
        (grant.organization_id, grant.division_code),
        (grant.provider_organization_id, grant.provider_division_code),
    ):
        posts |= set(access.nearest_posts(right=EDIT, organization_id=organization_id, division_code=division_code))
    params = {
        "resource": _name_of_resource(grant.resource_code),
        "grantee": _name_of_organization(grant.organization_id),
        "number": grant.number,
        "until_on": grant.valid_until.isoformat() if grant.valid_until else "",
        "idle": grant.idle_days,
        "grant_id": str(grant.id),
        **more,
    }
    for account_id in organizations.accounts_of_posts(post_ids=posts, on=on):
        notices.send(
            account_id=account_id,
            template=template,
            params=params,
            channels=(Channel.IN_APP,),
            key=f"{delivery.event_id}:{grant.id}:{account_id}",
            now=delivery.now,
        )


def _name_of_resource(code: str) -> dict[str, str]:
    row = models.Resource.objects.filter(code=code).values_list("name_zh", "name_en").first()
    zh, en = row if row is not None else (code, code)
    return {"zh": zh, "en": en or zh}


def _name_of_organization(organization_id: UUID) -> dict[str, str]:
    found = organizations.labels_of_organizations(organization_ids={organization_id}).get(organization_id)
    return {"zh": found.zh, "en": found.en or found.zh} if found is not None else {"zh": "–", "en": "–"}
