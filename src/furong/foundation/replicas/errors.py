"""What a counter refuses because of where it stands. None of it is about a person."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Fault, Refusal


class CopyTooOld(Refusal):
    """The copy of rights is older than the operator allows: nobody knows who may still sit here."""

    code: ClassVar[str] = "replicas.too_old"
    message = (
        "This counter has not heard from the provincial platform for too long, so it cannot tell who may work here."
    )
    mend = "Nothing was lost. Work goes on when the province is heard again; ask the operator of the centre."


class OnlyOnPlatform(Refusal):
    """What was asked for is done on the provincial platform alone."""

    code: ClassVar[str] = "replicas.only_on_platform"
    message = "This is done on the provincial platform, not at the counter's own node."
    mend = "Sign in on the provincial platform for it. Looking up and registering the city's people works here."


class ReplicaError(Fault):
    """A copy cannot be set up: the tables of the two sides differ, or a server does not let it."""

    code: ClassVar[str] = "replicas.copy"
