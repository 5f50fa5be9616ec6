"""What becomes of each element of DMN 1.5's schema; docs/reference/dmn.md has the same in words, and a test compares."""

from __future__ import annotations

__all__ = ["ELEMENTS", "KEPT", "REFUSED", "RUNS"]

RUNS, KEPT, REFUSED = "runs", "kept", "refused"

ELEMENTS: dict[str, str] = {
    # requirement graphs
    **dict.fromkeys(
        (
            *("definitions", "import", "inputData", "variable", "decision", "informationRequirement"),
            *("requiredInput", "requiredDecision", "knowledgeRequirement", "requiredKnowledge"),
            *("businessKnowledgeModel", "encapsulatedLogic", "decisionService", "outputDecision"),
            *("encapsulatedDecision", "inputDecision"),
        ),
        RUNS,
    ),
    # types
    **dict.fromkeys(
        ("itemDefinition", "itemComponent", "typeRef", "allowedValues", "typeConstraint", "functionItem", "parameters"),
        RUNS,
    ),
    # decision tables
    **dict.fromkeys(
        (
            *("decisionTable", "input", "inputExpression", "inputValues", "output", "outputValues"),
            *("defaultOutputEntry", "rule", "inputEntry", "outputEntry", "text"),
        ),
        RUNS,
    ),
    # boxed expressions
    **dict.fromkeys(
        (
            *("literalExpression", "invocation", "binding", "parameter", "context", "contextEntry", "list"),
            *("relation", "column", "row", "functionDefinition", "formalParameter", "conditional", "if", "then"),
            *("else", "filter", "in", "match", "for", "return", "some", "every", "satisfies"),
        ),
        RUNS,
    ),
    # what is drawn, told or named, and changes no result
    **dict.fromkeys(
        (
            *("description", "extensionElements", "annotation", "annotationEntry", "question", "allowedAnswers"),
            *("authorityRequirement", "requiredAuthority", "knowledgeSource", "type", "owner", "locationURI"),
            *("supportedObjective", "impactedPerformanceIndicator", "impactingDecision", "decisionMaker"),
            *("decisionOwner", "decisionMade", "decisionOwned", "usingProcess", "usingTask", "performanceIndicator"),
            *("organizationUnit", "organisationalUnit", "elementCollection", "drgElement", "textAnnotation"),
            *("association", "sourceRef", "targetRef", "group", "artifact", "businessContextElement"),
        ),
        KEPT,
    ),
    **dict.fromkeys(("importedValues",), REFUSED),
}
