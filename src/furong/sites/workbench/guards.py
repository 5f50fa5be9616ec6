"""Who may open a page: the rights that it needs, and a trace when somebody without them tries."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import record_refusal
from furong.sites.workbench.desk import staff

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[HttpRequest, Actor, P], R]


def needs(*rights: str) -> Callable[[View[P, R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Open a page to staff whose post carries one of ``rights``; everybody else is refused, and staff's attempt is recorded."""

    def decorate(view: View[P, R]) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def guarded(request: HttpRequest, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not any(access.allows(actor=actor, right=right) for right in rights):
                refusal = AccessRefused()
                record_refusal(actor=actor, what=f"workbench.{view.__name__}", refusal=refusal, now=timezone.now())
                raise refusal
            return view(request, actor, *args, **kwargs)

        return staff(guarded)

    return decorate
