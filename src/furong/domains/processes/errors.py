"""Refusals (a fact the caller can act on) and faults of the engine."""

from __future__ import annotations

from collections.abc import Sequence

from furong.foundation.codes.errors import Fault, Refusal
from furong.foundation.packs.values.findings import Finding


class DefinitionRefused(Refusal):
    """The file cannot be run; ``findings`` say why, where and how to mend it."""

    code = "processes.definition_refused"
    message = "The process file has %(count)s errors; the first is: %(first)s"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [finding for finding in findings if finding.is_error]
        super().__init__(count=len(errors), first=errors[0].format() if errors else "–")


class DefinitionUnknown(Refusal):
    code = "processes.definition_unknown"
    message = "There is no published process with this code or digest."


class TaskUnknown(Refusal):
    code = "processes.task_unknown"
    message = "There is no such task."


class TaskAlreadyDone(Refusal):
    """Somebody (perhaps this person in another window) finished the task, or the process went on without it."""

    code = "processes.task_already_done"
    message = "This task is already done or no longer needed."
    mend = "Reload the work list."


class TaskClaimedByAnother(Refusal):
    code = "processes.task_claimed_by_another"
    message = "A colleague has claimed this task."
    mend = "Ask them to hand it over, or choose another task."


class TaskNotClaimed(Refusal):
    """Releasing or handing over wants the task in one's own hands."""

    code = "processes.task_not_claimed"
    message = "You have not claimed this task."
    mend = "Claim the task first."


class OutcomeUnknown(Refusal):
    code = "processes.outcome_unknown"
    message = "This task cannot end with %(outcome)s; it may end with: %(allowed)s."


class ReasonMissing(Refusal):
    code = "processes.reason_missing"
    message = "A reason is needed."
    mend = "Enter the reason."


class HandOverRefused(Refusal):
    """The other account does not work for the organization that has the task."""

    code = "processes.hand_over_refused"
    message = "The task can only be handed over within the organization that has it."


class InstanceUnknown(Refusal):
    code = "processes.instance_unknown"
    message = "There is no such process, or it has ended."


class InstanceSuspended(Refusal):
    """An administrator holds the process; what was entered is not lost, and can be handed in when it goes on."""

    code = "processes.instance_suspended"
    message = "This process is suspended. Nothing was changed."
    mend = "Try again when the administrator has let it go on."


class MoveRefused(Refusal):
    """A token cannot be taken there."""

    code = "processes.move_refused"
    message = "The token cannot be moved: %(why)s."
    mend = "Choose an element in the same part of the diagram."


class MigrationRefused(Refusal):
    """A running process cannot be taken to the other version without losing something."""

    code = "processes.migration_refused"
    message = "The process cannot go to the other version: %(why)s. Nothing was changed."
    mend = "Map the element to one of the same kind, or let these processes end in their version."


class MessageUnexpected(Refusal):
    """Nothing waits for this message now: it came too early, twice, or for another case."""

    code = "processes.message_unexpected"
    message = "No process waits for the message %(name)s with this key."


class VariablesRefused(Refusal):
    """Variables are JSON values; something else was given, or they are too large."""

    code = "processes.variables_refused"
    message = "The variables cannot be kept: %(why)s."


class IncidentUnknown(Refusal):
    code = "processes.incident_unknown"
    message = "There is no such incident."


class PageKeyInvalid(Refusal):
    """Where a page of the work list begins was not given by the page before it."""

    code = "processes.page_key_not_valid"
    message = "This page of the list cannot be found."
    mend = "Begin with the first page of the list."


class RequestKeyTaken(Refusal):
    """The key of a request came before with another request, or with one that did not succeed."""

    code = "processes.request_key_taken"
    message = "This key was used for another request."
    mend = "Use a new Idempotency-Key for each request, and the same one only to repeat it."


class RequestKeyInvalid(Refusal):
    code = "processes.request_key_not_valid"
    message = "The Idempotency-Key is too long or holds characters that are not printed."
    mend = "Send up to 200 printable characters, such as a UUID."


class ProcessNotNamed(Refusal):
    """All instances that are over, of every process, are no list that anybody reads."""

    code = "processes.process_missing"
    message = "Instances that are over are listed of one process, or of one business key."
    mend = "Give the code or the digest of a process, or a business key."


class BpmnError(Exception):
    """Raised by a handler: the work ended in a business error that the diagram may catch by its code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.error_code = code


class HandlerUnknownError(Fault):
    """The diagram names a handler that nothing registered in this process."""

    code = "processes.handler_unknown"


class EngineError(Fault):
    """The engine met a state that cannot be: a token where the definition has no element, for instance."""

    code = "processes.engine"


class StuckError(Fault):
    """An element could not go on: a condition was no boolean, a decision failed. It becomes an incident, nothing is lost."""

    code = "processes.stuck"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
