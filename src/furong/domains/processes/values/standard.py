"""Every element of BPMN 2.0 that a file may hold (OMG formal/2011-01-03, Semantic.xsd), and what the engine does with it.

``docs/reference/bpmn.md`` shows this table, and a test compares the two, and both with what ``elements`` makes of a tag.
"""

from __future__ import annotations

from furong.domains.processes.values.elements import Treatment

_RUNS = """
definitions process sequenceFlow conditionExpression
task manualTask userTask serviceTask sendTask receiveTask businessRuleTask scriptTask script callActivity subProcess
standardLoopCharacteristics loopCondition multiInstanceLoopCharacteristics loopCardinality loopDataInputRef loopDataOutputRef
inputDataItem outputDataItem completionCondition
exclusiveGateway parallelGateway inclusiveGateway eventBasedGateway
startEvent intermediateCatchEvent intermediateThrowEvent boundaryEvent endEvent eventDefinitionRef
messageEventDefinition timerEventDefinition timeDate timeDuration timeCycle errorEventDefinition escalationEventDefinition
compensateEventDefinition linkEventDefinition terminateEventDefinition
message error escalation messageFlow lane flowNodeRef dataObject
"""
_DRAWN = """
documentation text textAnnotation association group category categoryValue categoryValueRef
extension extensionElements import relationship
collaboration participant participantMultiplicity participantAssociation messageFlowAssociation
laneSet childLaneSet partitionElement incoming outgoing auditing monitoring supports
dataObjectReference dataState dataStore dataStoreReference itemDefinition property
ioSpecification ioBinding dataInput dataOutput inputSet outputSet dataInputAssociation dataOutputAssociation
assignment from to transformation sourceRef targetRef source target
dataInputRefs dataOutputRefs optionalInputRefs optionalOutputRefs whileExecutingInputRefs whileExecutingOutputRefs
inputSetRefs outputSetRefs
interface operation operationRef inMessageRef outMessageRef interfaceRef supportedInterfaceRef endPoint endPointRef
resource resourceParameter resourceParameterBinding resourceAssignmentExpression resourceRef resourceRole performer humanPerformer
potentialOwner rendering
correlationKey correlationProperty correlationPropertyRetrievalExpression correlationPropertyBinding correlationSubscription
correlationKeyRef correlationPropertyRef dataPath messagePath
conversation subConversation callConversation globalConversation conversationLink conversationAssociation
participantRef messageFlowRef innerParticipantRef outerParticipantRef innerConversationNodeRef outerConversationNodeRef
innerMessageFlowRef outerMessageFlowRef partnerEntity partnerRole expression formalExpression signal
choreography globalChoreographyTask initiatingParticipantRef choreographyRef
"""
_REFUSED = """
transaction adHocSubProcess complexGateway activationCondition implicitThrowEvent
signalEventDefinition conditionalEventDefinition condition cancelEventDefinition
complexBehaviorDefinition choreographyTask subChoreography callChoreography
globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask
"""

ELEMENTS: dict[str, Treatment] = {
    **dict.fromkeys(_RUNS.split(), Treatment.RUNS),
    **dict.fromkeys(_DRAWN.split(), Treatment.DRAWN),
    **dict.fromkeys(_REFUSED.split(), Treatment.REFUSED),
}

# --- where an element may stand, and which attributes it has ----------------------------------------------------------------

_BASE = frozenset({"documentation", "extensionElements"})
_NODE = _BASE | {"auditing", "monitoring", "categoryValueRef", "incoming", "outgoing"}
_ACTIVITY = _NODE | {
    "ioSpecification",
    "property",
    "dataInputAssociation",
    "dataOutputAssociation",
    "resourceRole",
    "performer",
    "humanPerformer",
    "potentialOwner",
    "standardLoopCharacteristics",
    "multiInstanceLoopCharacteristics",
}
_DEFINITIONS = frozenset(name for name in ELEMENTS if name.endswith("EventDefinition")) | {"eventDefinitionRef"}
_EVENT = _NODE | {"property"} | _DEFINITIONS
_CATCH = _EVENT | {"dataOutput", "dataOutputAssociation", "outputSet"}
_THROW = _EVENT | {"dataInput", "dataInputAssociation", "inputSet"}

# By tag: the elements of BPMN that may stand in it. What is in a process or a sub-process is looked at where it is read.
CHILDREN: dict[str, frozenset[str]] = {
    **dict.fromkeys(("task", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask"), _ACTIVITY),
    "callActivity": _ACTIVITY,
    "userTask": _ACTIVITY | {"rendering"},
    "scriptTask": _ACTIVITY | {"script"},
    **dict.fromkeys(("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"), _NODE),
    **dict.fromkeys(("startEvent", "intermediateCatchEvent", "boundaryEvent"), _CATCH),
    **dict.fromkeys(("intermediateThrowEvent", "endEvent"), _THROW),
    "sequenceFlow": _BASE | {"auditing", "monitoring", "categoryValueRef", "conditionExpression"},
    "timerEventDefinition": _BASE | {"timeDate", "timeDuration", "timeCycle"},
    "standardLoopCharacteristics": _BASE | {"loopCondition"},
    "multiInstanceLoopCharacteristics": _BASE
    | {
        "loopCardinality",
        "loopDataInputRef",
        "loopDataOutputRef",
        "inputDataItem",
        "outputDataItem",
        "complexBehaviorDefinition",
        "completionCondition",
    },
}

_NAMED = frozenset({"id", "name"})
_DOES = _NAMED | {"isForCompensation", "startQuantity", "completionQuantity", "default"}
_CATCHES = _NAMED | {"parallelMultiple"}
_CHOOSES = _NAMED | {"gatewayDirection"}
# By tag: its attributes without a namespace.
ATTRIBUTES_OF: dict[str, frozenset[str]] = {
    "task": _DOES,
    "manualTask": _DOES,
    "userTask": _DOES | {"implementation"},
    "serviceTask": _DOES | {"implementation", "operationRef"},
    "sendTask": _DOES | {"implementation", "operationRef", "messageRef"},
    "receiveTask": _DOES | {"implementation", "operationRef", "messageRef", "instantiate"},
    "businessRuleTask": _DOES | {"implementation"},
    "scriptTask": _DOES | {"scriptFormat"},
    "callActivity": _DOES | {"calledElement"},
    "subProcess": _DOES | {"triggeredByEvent"},
    "exclusiveGateway": _CHOOSES | {"default"},
    "inclusiveGateway": _CHOOSES | {"default"},
    "parallelGateway": _CHOOSES,
    "eventBasedGateway": _CHOOSES | {"instantiate", "eventGatewayType"},
    "startEvent": _CATCHES | {"isInterrupting"},
    "intermediateCatchEvent": _CATCHES,
    "boundaryEvent": _CATCHES | {"attachedToRef", "cancelActivity"},
    "intermediateThrowEvent": _NAMED,
    "endEvent": _NAMED,
    "sequenceFlow": _NAMED | {"sourceRef", "targetRef", "isImmediate"},
}
FLAGS = frozenset(
    {"isForCompensation", "triggeredByEvent", "instantiate", "isInterrupting", "cancelActivity", "parallelMultiple"}
)
# Attributes that would change what runs, by the values with which they do not.
INERT: dict[str, frozenset[str]] = {
    "startQuantity": frozenset({"1"}),
    "completionQuantity": frozenset({"1"}),
    "eventGatewayType": frozenset({"Exclusive"}),
    "behavior": frozenset({"All"}),
}
