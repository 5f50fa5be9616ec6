"""A gateway asks to be admitted, with the code that the operator gave its member."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from furong.domains.exchange import issuing, models
from furong.domains.exchange.compiling import exchange_name
from furong.domains.exchange.errors import EnrolmentRefused
from furong.domains.exchange.values import GatewayState
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong_link import enrolment
from furong_link.errors import ConfigurationError


@command("exchange.enrol_gateway")
def enrol_gateway(*, sent: Mapping[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
    """Take a gateway's request, sealed under its member's code, and answer with the operator's key.

    The gateway waits then for the operator, who compares its fingerprint. The same request may come again; another key under the
    same code is refused. Raises `EnrolmentRefused`, the same for every reason.
    """
    member = (
        models.Member.objects.select_for_update()
        .filter(code_place=str(sent.get("place", "")), code_until__gt=now)
        .exclude(code_place="")
        .first()
    )
    if member is None:
        raise EnrolmentRefused
    secret = bytes.fromhex(member.code_secret)
    try:
        asked = enrolment.read_request(sent, secret=secret)
    except ConfigurationError as error:
        raise EnrolmentRefused from error
    known = models.Gateway.objects.filter(code=asked.id).first()
    if known is None:
        others = models.Gateway.objects.filter(member=member, state=GatewayState.REQUESTED.value)
        if others.exists() or models.Key.objects.filter(public=asked.public).exists():
            raise EnrolmentRefused
        models.Gateway.objects.create(
            code=asked.id,
            member=member,
            authority=asked.authority,
            address=asked.address,
            key_id=asked.key_id,
            algorithm=asked.algorithm,
            public=asked.public,
            software=asked.software,
            requested_at=now,
        )
    elif (known.member_id, known.public) != (member.code, asked.public):
        raise EnrolmentRefused
    current().object("exchange_gateway", asked.id)
    return enrolment.seal_answer(
        {
            "exchange": exchange_name(),
            "member": member.code,
            "key_id": asked.key_id,
            "operator": {"algorithm": issuing.OperatorKey.algorithm, "public": issuing.operator_public()},
        },
        secret=secret,
    )
