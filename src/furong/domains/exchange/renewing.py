"""A gateway renews its own key: the old one hands over, both are in the configuration for a while, and nobody enrols anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from furong.domains.exchange import issuing, models
from furong.domains.exchange.errors import HandoverRefused
from furong.domains.exchange.values import GatewayState
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong_link import handover, profile
from furong_link.enrolment import key_id_of
from furong_link.errors import ConfigurationError
from furong_link.renewal import number_of

KEY_DAYS = 2 * 365
MOST_GRACE = timedelta(days=handover.MOST_GRACE_DAYS)
SKEW = timedelta(seconds=profile.SKEW_SECONDS)


@command("exchange.renew_gateway_key")
def renew_gateway_key(*, gateway: str, sent: Mapping[str, Any], actor: Actor, now: datetime) -> str:
    """Take a gateway's next key, handed over by the one in force, and give its name.

    It counts at once: whoever holds the key in force could sign anything in the gateway's name anyhow. The operator sees the
    renewal where warnings stand until the old key has ended, and can shut the gateway out. A key hands over once: the same
    hand-over may come again, another is refused. The old key ends when the hand-over says, thirty days later at most. Raises
    `HandoverRefused`, the same for every reason.
    """
    row = models.Gateway.objects.select_for_update().filter(code=gateway, state=GatewayState.LIVE.value).first()
    if row is None:
        raise HandoverRefused
    try:
        given = handover.read_handover(sent)
        number = number_of(row.key_id) + 1
    except ConfigurationError as error:
        raise HandoverRefused from error
    key_id = key_id_of(gateway, number)
    known = models.Key.objects.filter(key_id=key_id).first()
    if known is not None and known.handover == dict(sent) and known.revoked_at is None:
        return key_id
    at, until = (datetime.fromtimestamp(moment, UTC) for moment in (given.at, given.until))
    fits = (
        given.number == number
        and given.old == handover.KeyName(row.algorithm, row.public)
        and given.new.algorithm == row.algorithm  # digests of logs and files are of one suite
        and abs(now - at) <= SKEW
        and now < until <= now + MOST_GRACE
    )
    if not fits or known is not None or models.Key.objects.filter(public=given.new.public).exists():
        raise HandoverRefused
    models.Key.objects.filter(key_id=row.key_id, valid_until__gt=until).update(valid_until=until)
    models.Key.objects.create(
        key_id=key_id,
        member_id=row.member_id,
        gateway=row,
        algorithm=given.new.algorithm,
        public=given.new.public,
        valid_from=now - timedelta(minutes=5),  # clocks differ
        valid_until=now + timedelta(days=KEY_DAYS),
        handover=dict(sent),
    )
    current().object("exchange_gateway", row.code)
    current().detail(key=key_id, until=until.isoformat())
    issuing.mark_changed()
    issuing.issue(now=now, cause="members")
    return key_id


def note_signed_by(*, gateway: str, key_id: str) -> None:
    """Note that a gateway signs by its next key from now on, as its first request by it shows. One read."""
    row = models.Gateway.objects.filter(code=gateway).exclude(key_id=key_id).first()
    if row is None:
        return
    key = models.Key.objects.filter(key_id=key_id, gateway=row, revoked_at=None).first()
    if key is None or number_of(key_id) <= number_of(row.key_id):
        return
    row.key_id, row.algorithm, row.public = key.key_id, key.algorithm, key.public
    row.save(update_fields=["key_id", "algorithm", "public"])
    issuing.mark_changed()
