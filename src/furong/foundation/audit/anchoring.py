"""One log's head noted in another log: whoever rewrites the first must rewrite the second, which others hold.

A centre's own node notes the head of its sign-ins in the centre's log; the province notes the centres' heads in its own.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.audit.queries import find_head
from furong.foundation.audit.values import Head
from furong.foundation.codes.statements import first_row

logger = logging.getLogger("furong.audit")

EVERY = timedelta(minutes=1)
_LAST = """
SELECT e.at, d.content FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id
 WHERE e.object_kind = 'audit_log' AND e.object_id = %s AND e.name = 'audit.anchor_head' AND e.outcome = 'done'
 ORDER BY e.at DESC, e.seq DESC LIMIT 1
"""
_ROOT = "SELECT root FROM audit_head WHERE size = %s"


def anchor(*, source: str, into: str, now: datetime) -> bool:
    """Note the newest head of the log in ``source`` in the log in ``into``, and say whether it did.

    At most once a minute, and only when the log grew. A log that does not hold the head that was noted before is told to the
    operator, and the entry says so. For the worker; two statements when there is nothing to do.
    """
    head = find_head(database=source)
    if head is None:
        return False
    last = first_row(_LAST, [str(head.log_id)], database=into)
    contradicts = False
    if last is not None:
        known: dict[str, Any] = json.loads(last[1])["detail"]
        if now - last[0] < EVERY or (known["size"] == head.size and known["root"] == head.root.hex()):
            return False
        there = first_row(_ROOT, [known["size"]], database=source)
        contradicts = there is None or bytes(there[0]).hex() != known["root"]
        if contradicts:
            logger.critical(
                "a log contradicts its head that another log holds",
                extra={"database": source, "log": str(head.log_id), "size": known["size"]},
            )
    anchor_head(of=source, head=head, contradicts=contradicts, database=into, actor=Actor.system("audit"), now=now)
    return True


@command("audit.anchor_head", database=None)
def anchor_head(*, of: str, head: Head, contradicts: bool, database: str, actor: Actor, now: datetime) -> None:
    """Write a head of the log ``of`` into the log of ``database``: size, root, key, and when it was signed."""
    entry = current()
    entry.object("audit_log", head.log_id)
    entry.detail(
        of=of, size=head.size, root=head.root.hex(), key_id=head.key_id, signed_at=head.at, contradicts=contradicts
    )
