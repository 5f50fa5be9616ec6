"""What the engine does with each element of BPMN 2.0: runs it, keeps it as drawing, or refuses it.

``docs/reference/bpmn.md`` shows these tables, and a test compares the two. Clauses are of OMG formal/2011-01-03 (ISO/IEC 19510).
"""

from __future__ import annotations

from enum import StrEnum

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DRAWING = "http://www.omg.org/spec/BPMN/20100524/DI"
FURONG = "https://furong.example/bpmn"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


class Treatment(StrEnum):
    RUNS = "runs"
    DRAWN = "drawn only"
    REFUSED = "refused"


class NodeKind(StrEnum):
    """What a flow node is to the interpreter; each has one behaviour there."""

    START = "start"
    MESSAGE_START = "message start"
    TIMER_START = "timer start"
    EVENT_START = "start of an event sub-process"
    PASS = "pass"  # noqa: S105 - a token passes; nothing secret
    USER_TASK = "user task"
    SERVICE_TASK = "service task"
    SEND_TASK = "send task"
    RECEIVE_TASK = "receive task"
    BUSINESS_RULE_TASK = "business rule task"
    SCRIPT_TASK = "script task"
    SUB_PROCESS = "sub-process"
    CALL_ACTIVITY = "call activity"
    EVENT_SUB_PROCESS = "event sub-process"
    EXCLUSIVE = "exclusive gateway"
    PARALLEL = "parallel gateway"
    INCLUSIVE = "inclusive gateway"
    EVENT_GATEWAY = "event-based gateway"
    CATCH_TIMER = "timer catch event"
    CATCH_MESSAGE = "message catch event"
    THROW_MESSAGE = "message throw event"
    BOUNDARY_TIMER = "timer boundary event"
    BOUNDARY_MESSAGE = "message boundary event"
    BOUNDARY_ERROR = "error boundary event"
    BOUNDARY_ESCALATION = "escalation boundary event"
    BOUNDARY_COMPENSATION = "compensation boundary event"
    THROW_ESCALATION = "escalation throw event"
    THROW_COMPENSATION = "compensation throw event"
    END = "end"
    MESSAGE_END = "message end"
    ERROR_END = "error end"
    ESCALATION_END = "escalation end"
    COMPENSATION_END = "compensation end"
    TERMINATE_END = "terminate end"


# Activities inside which a scope of its own runs.
CONTAINERS = frozenset({NodeKind.SUB_PROCESS, NodeKind.CALL_ACTIVITY, NodeKind.EVENT_SUB_PROCESS})
# Kinds at which a token stays until a row wakes it, or until what runs inside has ended.
WAITING = frozenset(
    {
        NodeKind.USER_TASK,
        NodeKind.SERVICE_TASK,
        NodeKind.SEND_TASK,
        NodeKind.RECEIVE_TASK,
        NodeKind.EVENT_GATEWAY,
        NodeKind.CATCH_TIMER,
        NodeKind.CATCH_MESSAGE,
    }
)
# Where a start event may put the first token of a process.
STARTS = frozenset({NodeKind.START, NodeKind.MESSAGE_START, NodeKind.TIMER_START})
BOUNDARY = frozenset(
    {
        NodeKind.BOUNDARY_TIMER,
        NodeKind.BOUNDARY_MESSAGE,
        NodeKind.BOUNDARY_ERROR,
        NodeKind.BOUNDARY_ESCALATION,
        NodeKind.BOUNDARY_COMPENSATION,
    }
)
ENDS = frozenset(
    {
        NodeKind.END,
        NodeKind.MESSAGE_END,
        NodeKind.TERMINATE_END,
        NodeKind.ERROR_END,
        NodeKind.ESCALATION_END,
        NodeKind.COMPENSATION_END,
    }
)
GATEWAYS = frozenset({NodeKind.EXCLUSIVE, NodeKind.PARALLEL, NodeKind.INCLUSIVE, NodeKind.EVENT_GATEWAY})
# Activities, which boundary events may be attached to and which may be repeated.
ACTIVITIES = frozenset(
    {
        NodeKind.PASS,
        NodeKind.USER_TASK,
        NodeKind.SERVICE_TASK,
        NodeKind.SEND_TASK,
        NodeKind.RECEIVE_TASK,
        NodeKind.BUSINESS_RULE_TASK,
        NodeKind.SCRIPT_TASK,
        NodeKind.SUB_PROCESS,
        NodeKind.CALL_ACTIVITY,
    }
)
# Kinds whose work waits, so that a timer or a message may cut it short.
HOSTS = frozenset(
    {
        NodeKind.USER_TASK,
        NodeKind.SERVICE_TASK,
        NodeKind.SEND_TASK,
        NodeKind.RECEIVE_TASK,
        NodeKind.SUB_PROCESS,
        NodeKind.CALL_ACTIVITY,
    }
)
CAN_FAIL = frozenset({NodeKind.SERVICE_TASK, NodeKind.SEND_TASK, NodeKind.SUB_PROCESS, NodeKind.CALL_ACTIVITY})
CAN_ESCALATE = frozenset({NodeKind.SUB_PROCESS, NodeKind.CALL_ACTIVITY})

# Flow nodes by tag; events are told apart further by their definition.
TASKS: dict[str, NodeKind] = {
    "task": NodeKind.PASS,
    "manualTask": NodeKind.PASS,
    "userTask": NodeKind.USER_TASK,
    "serviceTask": NodeKind.SERVICE_TASK,
    "sendTask": NodeKind.SEND_TASK,
    "receiveTask": NodeKind.RECEIVE_TASK,
    "businessRuleTask": NodeKind.BUSINESS_RULE_TASK,
    "scriptTask": NodeKind.SCRIPT_TASK,
    "subProcess": NodeKind.SUB_PROCESS,
    "callActivity": NodeKind.CALL_ACTIVITY,
    "exclusiveGateway": NodeKind.EXCLUSIVE,
    "parallelGateway": NodeKind.PARALLEL,
    "inclusiveGateway": NodeKind.INCLUSIVE,
    "eventBasedGateway": NodeKind.EVENT_GATEWAY,
}
# (tag of the event, tag of its definition or "") to kind.
EVENTS: dict[tuple[str, str], NodeKind] = {
    ("startEvent", ""): NodeKind.START,
    ("startEvent", "messageEventDefinition"): NodeKind.MESSAGE_START,
    ("startEvent", "timerEventDefinition"): NodeKind.TIMER_START,
    ("intermediateCatchEvent", "timerEventDefinition"): NodeKind.CATCH_TIMER,
    ("intermediateCatchEvent", "messageEventDefinition"): NodeKind.CATCH_MESSAGE,
    ("intermediateCatchEvent", "linkEventDefinition"): NodeKind.PASS,
    ("intermediateThrowEvent", ""): NodeKind.PASS,
    ("intermediateThrowEvent", "messageEventDefinition"): NodeKind.THROW_MESSAGE,
    ("intermediateThrowEvent", "escalationEventDefinition"): NodeKind.THROW_ESCALATION,
    ("intermediateThrowEvent", "compensateEventDefinition"): NodeKind.THROW_COMPENSATION,
    ("intermediateThrowEvent", "linkEventDefinition"): NodeKind.PASS,
    ("boundaryEvent", "timerEventDefinition"): NodeKind.BOUNDARY_TIMER,
    ("boundaryEvent", "messageEventDefinition"): NodeKind.BOUNDARY_MESSAGE,
    ("boundaryEvent", "errorEventDefinition"): NodeKind.BOUNDARY_ERROR,
    ("boundaryEvent", "escalationEventDefinition"): NodeKind.BOUNDARY_ESCALATION,
    ("boundaryEvent", "compensateEventDefinition"): NodeKind.BOUNDARY_COMPENSATION,
    ("endEvent", ""): NodeKind.END,
    ("endEvent", "messageEventDefinition"): NodeKind.MESSAGE_END,
    ("endEvent", "terminateEventDefinition"): NodeKind.TERMINATE_END,
    ("endEvent", "errorEventDefinition"): NodeKind.ERROR_END,
    ("endEvent", "escalationEventDefinition"): NodeKind.ESCALATION_END,
    ("endEvent", "compensateEventDefinition"): NodeKind.COMPENSATION_END,
}
# What may start an event sub-process.
EVENT_STARTS = frozenset(
    {"messageEventDefinition", "timerEventDefinition", "errorEventDefinition", "escalationEventDefinition"}
)
EVENT_TAGS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
EVENT_DEFINITIONS = (
    "messageEventDefinition",
    "timerEventDefinition",
    "errorEventDefinition",
    "terminateEventDefinition",
    "signalEventDefinition",
    "escalationEventDefinition",
    "conditionalEventDefinition",
    "compensateEventDefinition",
    "cancelEventDefinition",
    "linkEventDefinition",
)
# Flow nodes that change what runs and that the engine does not run yet.
REFUSED = {
    "transaction": "10.3.5.5",
    "adHocSubProcess": "10.3.5.4",
    "complexGateway": "10.6.6",
    "implicitThrowEvent": "10.5.3",
    "callChoreography": "11",
    "choreographyTask": "11",
    "subChoreography": "11",
}
# Elements of a process that say something to people and nothing to the engine; they are kept as they are.
DRAWN = frozenset(
    {
        "documentation",
        "extensionElements",
        "laneSet",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "textAnnotation",
        "association",
        "group",
        "ioSpecification",
        "property",
        "auditing",
        "monitoring",
        "resourceRole",
        "performer",
        "humanPerformer",
        "potentialOwner",
        "supports",
        "correlationSubscription",
        "dataInputAssociation",
        "dataOutputAssociation",
        "categoryValueRef",
        "ioBinding",
        "supportedInterfaceRef",
    }
)
# Attributes of the namespace furong: by the kinds that read them; any other is a slip of the pen and is refused.
ANY_TASK = HOSTS | {NodeKind.BUSINESS_RULE_TASK, NodeKind.PASS}
_MESSAGES = frozenset(
    {
        NodeKind.SEND_TASK,
        NodeKind.RECEIVE_TASK,
        NodeKind.CATCH_MESSAGE,
        NodeKind.THROW_MESSAGE,
        NodeKind.MESSAGE_END,
        NodeKind.BOUNDARY_MESSAGE,
        NodeKind.MESSAGE_START,
        NodeKind.EVENT_START,
    }
)
_USER = frozenset({NodeKind.USER_TASK})
_HANDLED = frozenset({NodeKind.SERVICE_TASK, NodeKind.SEND_TASK})
_GIVES = HOSTS | {NodeKind.BUSINESS_RULE_TASK, NodeKind.SCRIPT_TASK}
ATTRIBUTES: dict[str, frozenset[NodeKind]] = {
    "kind": _USER,
    "department": _USER,
    "division": _USER,
    "post_right": _USER,
    "item": _USER,
    "priority": _USER,
    "outcomes": _USER,
    "due": _USER,
    "due_calendar": _USER,
    "yellow": _USER,
    "escalate_after": _USER,
    "handler": _HANDLED,
    "retries": _HANDLED,
    "backoff": _HANDLED,
    "input": _HANDLED | {NodeKind.BUSINESS_RULE_TASK, NodeKind.CALL_ACTIVITY} | _MESSAGES,
    "decision": frozenset({NodeKind.BUSINESS_RULE_TASK}),
    "result": _GIVES | _MESSAGES,
    "output": frozenset({NodeKind.CALL_ACTIVITY}),
    "correlation": _MESSAGES,
    "calendar": frozenset({NodeKind.CATCH_TIMER, NodeKind.BOUNDARY_TIMER, NodeKind.EVENT_START}),
}
# What a lane may say for the user tasks in it that do not say it themselves.
LANE_ATTRIBUTES = ("department", "division", "post_right")
# Of a repeated activity, beside the elements of BPMN that say the same.
LOOP_ATTRIBUTES = ("collection", "element", "output_collection", "output_element")
