"""The two axes on which a resource stands, and the acts that move it along them. Pure.

Publishing says whether its definition is approved, online whether it can be found and used. After the states that provincial
catalogues keep (domain facts, part 2); deadlines after 《政务数据共享条例》.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

REVIEW_WORKING_DAYS = 2
UPDATE_WORKING_DAYS = 10
UPDATE_EXTENSION_WORKING_DAYS = 5


class PublishState(StrEnum):
    UNPUBLISHED = "unpublished"
    PUB_AUDITING = "pub_auditing"
    REJECTED = "rejected"
    PUBLISHED = "published"
    CHANGE_AUDITING = "change_auditing"
    CHANGE_REJECTED = "change_rejected"

    @property
    def is_public(self) -> bool:
        """Whether a version of it is approved, whatever becomes of a change."""
        return self in {PublishState.PUBLISHED, PublishState.CHANGE_AUDITING, PublishState.CHANGE_REJECTED}

    @property
    def is_waiting(self) -> bool:
        """Whether the data authority has to decide."""
        return self in {PublishState.PUB_AUDITING, PublishState.CHANGE_AUDITING}


class OnlineState(StrEnum):
    OFFLINE = "offline"
    UP_AUDITING = "up_auditing"
    ONLINE = "online"
    DOWN_AUDITING = "down_auditing"

    @property
    def is_up(self) -> bool:
        """Whether it can be found and used: also while its end is only asked for."""
        return self in {OnlineState.ONLINE, OnlineState.DOWN_AUDITING}

    @property
    def is_waiting(self) -> bool:
        """Whether the data authority has to decide."""
        return self in {OnlineState.UP_AUDITING, OnlineState.DOWN_AUDITING}


class Act(StrEnum):
    """What somebody does. The provider submits, calls back and asks; the data authority decides."""

    IMPORT = "import"
    DRAFT = "draft"
    SUBMIT = "submit"
    CALL_BACK = "call_back"
    APPROVE = "approve"
    REJECT = "reject"
    ASK_ONLINE = "ask_online"
    ASK_OFFLINE = "ask_offline"
    PUT_ONLINE = "put_online"
    TAKE_OFFLINE = "take_offline"
    KEEP = "keep"
    REQUIRE_UPDATE = "require_update"
    EXTEND_UPDATE = "extend_update"


_P, _O = PublishState, OnlineState
PUBLISHING: Mapping[tuple[PublishState, Act], PublishState] = {
    (_P.UNPUBLISHED, Act.SUBMIT): _P.PUB_AUDITING,
    (_P.REJECTED, Act.SUBMIT): _P.PUB_AUDITING,
    (_P.PUB_AUDITING, Act.CALL_BACK): _P.UNPUBLISHED,
    (_P.PUB_AUDITING, Act.APPROVE): _P.PUBLISHED,
    (_P.PUB_AUDITING, Act.REJECT): _P.REJECTED,
    (_P.PUBLISHED, Act.SUBMIT): _P.CHANGE_AUDITING,
    (_P.CHANGE_REJECTED, Act.SUBMIT): _P.CHANGE_AUDITING,
    (_P.CHANGE_AUDITING, Act.CALL_BACK): _P.PUBLISHED,
    (_P.CHANGE_AUDITING, Act.APPROVE): _P.PUBLISHED,
    (_P.CHANGE_AUDITING, Act.REJECT): _P.CHANGE_REJECTED,
}
ONLINE: Mapping[tuple[OnlineState, Act], OnlineState] = {
    (_O.OFFLINE, Act.ASK_ONLINE): _O.UP_AUDITING,
    (_O.OFFLINE, Act.PUT_ONLINE): _O.ONLINE,
    (_O.UP_AUDITING, Act.PUT_ONLINE): _O.ONLINE,
    (_O.UP_AUDITING, Act.KEEP): _O.OFFLINE,
    (_O.ONLINE, Act.ASK_OFFLINE): _O.DOWN_AUDITING,
    (_O.ONLINE, Act.TAKE_OFFLINE): _O.OFFLINE,
    (_O.DOWN_AUDITING, Act.TAKE_OFFLINE): _O.OFFLINE,
    (_O.DOWN_AUDITING, Act.KEEP): _O.ONLINE,
}
# Acts of the provider; the others are the data authority's.
PROVIDERS_ACTS = frozenset({Act.DRAFT, Act.SUBMIT, Act.CALL_BACK, Act.ASK_ONLINE, Act.ASK_OFFLINE})
# Acts that say why.
REASONED = frozenset({Act.REJECT, Act.TAKE_OFFLINE, Act.ASK_OFFLINE, Act.KEEP, Act.REQUIRE_UPDATE, Act.EXTEND_UPDATE})


def possible(publish: PublishState, online: OnlineState) -> frozenset[Act]:
    """Give the acts that the two states allow; nothing goes online that is not published."""
    found = {act for state, act in PUBLISHING if state is publish}
    if publish.is_public:
        found |= {act for state, act in ONLINE if state is online}
    elif online.is_up:
        found |= {Act.TAKE_OFFLINE}
    return frozenset(found)


class Audience(IntEnum):
    """Who may know of something that is live: everybody, staff, or only provider and data authority."""

    EVERYBODY = 0
    STAFF = 1
    OWNER = 2
