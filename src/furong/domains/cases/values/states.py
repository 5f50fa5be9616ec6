"""The states of a case and the one table of what moves it from state to state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class CaseState(StrEnum):
    """Where a case stands (办件状态)."""

    WAITING_PREREQUISITES = "waiting_prerequisites"  # 待前置事项
    SUBMITTED = "submitted"  # 已收件
    TO_SUPPLEMENT = "to_supplement"  # 待补正
    ACCEPTED = "accepted"  # 已受理
    IN_PROGRESS = "in_progress"  # 办理中
    PAUSED = "paused"  # 特别程序
    APPROVED = "approved"  # 准予
    REJECTED = "rejected"  # 不予
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    COMPLETED = "completed"  # 办结
    WITHDRAWN = "withdrawn"  # 撤回
    ABNORMAL_END = "abnormal_end"  # 异常终止


class Act(StrEnum):
    """What moves a case: the law's verbs."""

    RECEIVE = "receive"
    ACCEPT = "accept"
    DEEM_ACCEPTED = "deem_accepted"
    REFUSE_ACCEPTANCE = "refuse_acceptance"
    REQUEST_SUPPLEMENT = "request_supplement"
    SUBMIT_SUPPLEMENT = "submit_supplement"
    LAPSE_SUPPLEMENT = "lapse_supplement"
    BEGIN = "begin"
    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    APPROVE = "approve"
    REJECT = "reject"
    COMPLETE = "complete"
    WITHDRAW = "withdraw"
    FAIL_PREREQUISITE = "fail_prerequisite"
    END_ABNORMALLY = "end_abnormally"
    REOPEN = "reopen"  # a review found the refusal wrong
    WAIT_AGAIN = "wait_again"  # the prerequisite that failed was reopened


class EndReason(StrEnum):
    """Why a case ended otherwise than by a decision in the applicant's favour."""

    NONE = ""
    REJECTED = "rejected"
    NOT_ACCEPTED = "not_accepted"
    SUPPLEMENT_LAPSED = "supplement_lapsed"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_LAPSED = "consent_lapsed"
    PREREQUISITE_FAILED = "prerequisite_failed"
    WITHDRAWN = "withdrawn"
    PROCESS_FAILED = "process_failed"
    NOT_CARRIED_OUT = "not_carried_out"  # granted, and then a register showed that it cannot be done


_S, _A = CaseState, Act

TRANSITIONS: Mapping[tuple[CaseState, Act], CaseState] = MappingProxyType(
    {
        (_S.WAITING_PREREQUISITES, _A.RECEIVE): _S.SUBMITTED,
        (_S.WAITING_PREREQUISITES, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.WAITING_PREREQUISITES, _A.FAIL_PREREQUISITE): _S.ABNORMAL_END,
        # A consent that the item needs was refused or never came.
        (_S.WAITING_PREREQUISITES, _A.REFUSE_ACCEPTANCE): _S.NOT_ACCEPTED,
        (_S.SUBMITTED, _A.ACCEPT): _S.ACCEPTED,
        (_S.SUBMITTED, _A.DEEM_ACCEPTED): _S.ACCEPTED,
        (_S.SUBMITTED, _A.REFUSE_ACCEPTANCE): _S.NOT_ACCEPTED,
        (_S.SUBMITTED, _A.REQUEST_SUPPLEMENT): _S.TO_SUPPLEMENT,
        (_S.SUBMITTED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.SUBMITTED, _A.END_ABNORMALLY): _S.ABNORMAL_END,
        (_S.TO_SUPPLEMENT, _A.SUBMIT_SUPPLEMENT): _S.SUBMITTED,
        (_S.TO_SUPPLEMENT, _A.LAPSE_SUPPLEMENT): _S.NOT_ACCEPTED,
        (_S.TO_SUPPLEMENT, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.ACCEPTED, _A.BEGIN): _S.IN_PROGRESS,
        (_S.ACCEPTED, _A.PAUSE): _S.PAUSED,
        (_S.ACCEPTED, _A.EXTEND): _S.ACCEPTED,
        (_S.ACCEPTED, _A.APPROVE): _S.APPROVED,
        (_S.ACCEPTED, _A.REJECT): _S.REJECTED,
        (_S.ACCEPTED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.ACCEPTED, _A.END_ABNORMALLY): _S.ABNORMAL_END,
        (_S.IN_PROGRESS, _A.PAUSE): _S.PAUSED,
        (_S.IN_PROGRESS, _A.EXTEND): _S.IN_PROGRESS,
        (_S.IN_PROGRESS, _A.APPROVE): _S.APPROVED,
        (_S.IN_PROGRESS, _A.REJECT): _S.REJECTED,
        (_S.IN_PROGRESS, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.IN_PROGRESS, _A.END_ABNORMALLY): _S.ABNORMAL_END,
        (_S.PAUSED, _A.RESUME): _S.IN_PROGRESS,
        (_S.PAUSED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.PAUSED, _A.END_ABNORMALLY): _S.ABNORMAL_END,
        (_S.APPROVED, _A.COMPLETE): _S.COMPLETED,
        (_S.APPROVED, _A.END_ABNORMALLY): _S.ABNORMAL_END,
        (_S.REJECTED, _A.REOPEN): _S.SUBMITTED,
        (_S.NOT_ACCEPTED, _A.REOPEN): _S.SUBMITTED,
        (_S.ABNORMAL_END, _A.WAIT_AGAIN): _S.WAITING_PREREQUISITES,
    }
)

OPEN = frozenset(
    {
        _S.WAITING_PREREQUISITES,
        _S.SUBMITTED,
        _S.TO_SUPPLEMENT,
        _S.ACCEPTED,
        _S.IN_PROGRESS,
        _S.PAUSED,
        _S.APPROVED,
    }
)
ENDED = frozenset(_S) - OPEN
# Ended without what was applied for, so that what depends on it cannot begin.
FAILED = frozenset({_S.REJECTED, _S.NOT_ACCEPTED, _S.WITHDRAWN, _S.ABNORMAL_END})
WITHDRAWABLE = frozenset(state for (state, act) in TRANSITIONS if act is Act.WITHDRAW)


def next_state(state: CaseState, act: Act) -> CaseState | None:
    """Return the state that an act leads to, None where the act is not lawful in that state."""
    return TRANSITIONS.get((state, act))


class ApplicationState(StrEnum):
    """Where an application stands, derived from its cases; never stored."""

    SUBMITTED = "submitted"
    IN_PROGRESS = "in_progress"
    ACTION_NEEDED = "action_needed"  # the applicant is asked for something
    COMPLETED = "completed"
    PARTLY_COMPLETED = "partly_completed"
    NOT_GRANTED = "not_granted"
    WITHDRAWN = "withdrawn"


def application_state(states: Iterable[CaseState]) -> ApplicationState:
    """Derive an application's state from those of its cases.

    One case that waits for the applicant makes the whole ask for action; one that is rejected leaves the others standing.
    """
    found = list(states)
    if CaseState.TO_SUPPLEMENT in found:
        return ApplicationState.ACTION_NEEDED
    still_open = [s for s in found if s in OPEN]
    if still_open:
        untouched = {CaseState.SUBMITTED, CaseState.WAITING_PREREQUISITES}
        return ApplicationState.SUBMITTED if set(found) <= untouched else ApplicationState.IN_PROGRESS
    done = sum(s is CaseState.COMPLETED for s in found)
    if done:
        others = [s for s in found if s not in {CaseState.COMPLETED, CaseState.WITHDRAWN}]
        return ApplicationState.PARTLY_COMPLETED if others else ApplicationState.COMPLETED
    if found and all(s is CaseState.WITHDRAWN for s in found):
        return ApplicationState.WITHDRAWN
    return ApplicationState.NOT_GRANTED
