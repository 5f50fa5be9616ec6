"""Who is told what becomes of a department's request to another node: the exchange's operators that one waits, its stewards what
was decided. Each event is handled once; messages name the resource and the other node's number, and no person.
"""

from __future__ import annotations

from uuid import UUID

from furong.domains.catalogue.sight import EDIT
from furong.domains.exchange.compiling import names_of
from furong.domains.exchange.nodes import documents
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.events import AskAnswered, AskDeclined, AskProposed
from furong.domains.exchange.nodes.values import AskState
from furong.domains.exchange.values import OPERATE
from furong.foundation.access import queries as access
from furong.foundation.calendar import queries as calendars
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template
from furong.foundation.notices.values import Channel
from furong.foundation.organizations import queries as organizations

register_template(
    "exchange.ask_proposed",
    title={"zh": "有部门申请其他节点的“{resource}”", "en": "A department asks another node for “{resource}”"},
    body={
        "zh": "该申请等待您审核后转报，见“数据交换—节点”页面。",
        "en": "It waits for you to carry it or to turn it down, on the page of nodes.",
    },
)
register_template(
    "exchange.ask_declined",
    title={"zh": "“{resource}”的申请未予转报", "en": "The request for “{resource}” is not carried"},
    body={
        "zh": "交换运营方未予转报[[，理由：{note}]]。",
        "en": "The exchange's operator turned it down[[: {note}]].",
    },
)
register_template(
    "exchange.ask_granted",
    title={"zh": "“{resource}”的申请已获准", "en": "The request for “{resource}” is granted"},
    body={
        "zh": "对方节点已准予[[，编号 {number}]]，可通过本单位网关查询。",
        "en": "The other node granted it[[ under {number}]]; your gateway may ask.",
    },
)
register_template(
    "exchange.ask_refused",
    title={"zh": "“{resource}”的申请被拒绝", "en": "The request for “{resource}” is refused"},
    body={
        "zh": "对方节点未予准许[[，理由：{note}]]。",
        "en": "The other node refused it[[: {note}]].",
    },
)


def follow() -> None:
    """Subscribe to what becomes of requests. Calling it again changes nothing."""
    subscribe(AskProposed, on_proposed, name="exchange.tell_ask_proposed")
    subscribe(AskDeclined, on_declined, name="exchange.tell_ask_declined")
    subscribe(AskAnswered, on_answered, name="exchange.tell_ask_answered")


def on_proposed(event: AskProposed, delivery: Delivery) -> None:
    """Tell the exchange's operators that a department's request waits."""
    _tell(event.id, "exchange.ask_proposed", OPERATE, delivery)


def on_declined(event: AskDeclined, delivery: Delivery) -> None:
    """Tell the department's stewards that its request is not carried, and why."""
    _tell(event.id, "exchange.ask_declined", EDIT, delivery)


def on_answered(event: AskAnswered, delivery: Delivery) -> None:
    """Tell the department's stewards what the other node answered."""
    granted = event.state == AskState.GRANTED.value
    _tell(event.id, "exchange.ask_granted" if granted else "exchange.ask_refused", EDIT, delivery)


def _tell(ask: UUID | str, template: str, right: str, delivery: Delivery) -> None:
    row = tables.Ask.objects.filter(id=ask).first()
    if row is None or row.organization_id is None:
        return  # the operator asked
    offered = next(
        (found for node in documents.around() if (found := documents.names_in([node]).get(row.resource))), None
    )
    words = offered["name"] if offered else names_of([row.resource]).get(row.resource, {"zh": row.resource})
    posts = access.nearest_posts(right=right, organization_id=row.organization_id, division_code=row.division_code)
    on = calendars.current().local_date(delivery.now)
    for account_id in organizations.accounts_of_posts(post_ids=set(posts), on=on):
        notices.send(
            account_id=account_id,
            template=template,
            params={
                "resource": {
                    "zh": str(words.get("zh", row.resource)),
                    "en": str(words.get("en") or words.get("zh", "")),
                },
                "number": row.number,
                "note": row.note,
            },
            channels=(Channel.IN_APP,),
            key=f"{delivery.event_id}:{account_id}",
            now=delivery.now,
        )
