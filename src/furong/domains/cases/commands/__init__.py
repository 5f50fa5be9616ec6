"""Writes of the room: one function is one transaction, one audit entry and its events, named with the law's verb."""

from furong.domains.cases.commands.acceptance import (
    accept_case,
    deem_accepted,
    lapse_supplement,
    refuse_acceptance,
    request_supplement,
    submit_supplement,
)
from furong.domains.cases.commands.completing import complete_facts
from furong.domains.cases.commands.deciding import (
    approve_case,
    complete_case,
    end_without_result,
    reject_case,
    set_output,
)
from furong.domains.cases.commands.drafting import (
    acknowledge_changes,
    discard_draft,
    open_draft,
    refresh_draft,
    save_draft,
    sweep_drafts,
)
from furong.domains.cases.commands.issuing import open_document, render_document
from furong.domains.cases.commands.procedure import (
    decide_extension,
    pause_case,
    request_extension,
    resume_case,
)
from furong.domains.cases.commands.rating import rate_again, rate_case, record_call_back
from furong.domains.cases.commands.receiving import (
    give_consent,
    lapse_consent,
    refuse_consent,
    remind_of_consent,
    start_case,
)
from furong.domains.cases.commands.reviewing import answer_review, request_review
from furong.domains.cases.commands.stepping import complete_step
from furong.domains.cases.commands.submitting import submit_application
from furong.domains.cases.commands.sweeping import run_due, sweep_old_drafts, tell_light
from furong.domains.cases.commands.withdrawing import withdraw_application, withdraw_case

__all__ = [
    "accept_case",
    "acknowledge_changes",
    "answer_review",
    "approve_case",
    "complete_case",
    "complete_facts",
    "complete_step",
    "decide_extension",
    "deem_accepted",
    "discard_draft",
    "end_without_result",
    "give_consent",
    "lapse_consent",
    "lapse_supplement",
    "open_document",
    "open_draft",
    "pause_case",
    "rate_again",
    "rate_case",
    "record_call_back",
    "refresh_draft",
    "refuse_acceptance",
    "refuse_consent",
    "reject_case",
    "remind_of_consent",
    "render_document",
    "request_extension",
    "request_review",
    "request_supplement",
    "resume_case",
    "run_due",
    "save_draft",
    "set_output",
    "start_case",
    "submit_application",
    "submit_supplement",
    "sweep_drafts",
    "sweep_old_drafts",
    "tell_light",
    "withdraw_application",
    "withdraw_case",
]
