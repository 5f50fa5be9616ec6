"""What registers told for a draft, kept in this process's memory for some minutes.

A form of five pages shows the same facts to the same person on each. The registers are asked, and the read is recorded, once for
those minutes and again at submission; not for every page that is turned back and forth. Nothing of it is written anywhere.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from uuid import UUID

from furong.domains.cases.values.plans import Answer
from furong.foundation.access.values import Actor

HELD_SECONDS = 300.0
_MOST = 1000

Held = Mapping[str, Answer]
_Key = tuple[UUID, UUID | None, UUID | None, str]

_lock = threading.Lock()
_held: OrderedDict[_Key, tuple[float, Held]] = OrderedDict()


def held_for(*, draft_id: UUID, form_digest: str, actor: Actor, ask: Callable[[], Held]) -> Held:
    """Give what registers hold for a draft, asked through ``ask`` unless this same actor was told within `HELD_SECONDS`."""
    principal = actor.principal.id if actor.principal is not None else None
    key = (draft_id, actor.account_id, principal, form_digest)
    now = time.monotonic()
    with _lock:
        found = _held.get(key)
        if found is not None and found[0] > now:
            return found[1]
    answers = ask()
    with _lock:
        _held[key] = (now + HELD_SECONDS, answers)
        _held.move_to_end(key)
        while len(_held) > _MOST or (_held and next(iter(_held.values()))[0] <= now):
            _held.popitem(last=False)
    return answers


def forget(*, draft_id: UUID) -> None:
    """Forget what was held for a draft: it was handed in or thrown away."""
    with _lock:
        for key in [key for key in _held if key[0] == draft_id]:
            del _held[key]
