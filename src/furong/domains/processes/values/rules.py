"""What a check of a diagram can find: a stable code for each rule, and the findings of one run."""

from __future__ import annotations

from dataclasses import dataclass, field

from furong.domains.processes.values import rules_file, rules_flow, rules_use
from furong.domains.processes.values.rule import Rule
from furong.foundation.packs.values.findings import Finding, Severity
from furong.foundation.packs.values.text import both

RULES: dict[str, Rule] = {**rules_file.RULES, **rules_flow.RULES, **rules_use.RULES}

# After one of these the elements that were read are not all that are drawn, so that checks of structure would say what is not so.
INCOMPLETE = frozenset(
    {
        "bpmn.id_missing",
        "bpmn.id_twice",
        "bpmn.id_invalid",
        "bpmn.element_refused",
        "bpmn.element_unknown",
        "bpmn.element_misplaced",
        "bpmn.event_refused",
        "bpmn.event_many",
        "bpmn.event_sub_start",
        "bpmn.flow_dangling",
        "bpmn.flow_crosses",
        "bpmn.start_missing",
        "bpmn.start_many",
        "bpmn.nested_deep",
        "bpmn.call_recursive",
        "bpmn.link_missing",
        "bpmn.ref_unknown",
    }
)


@dataclass(slots=True)
class Findings:
    """Collects what a check finds, so that one run says everything."""

    file: str
    to_publish: bool = False  # whether what publication wants is an error
    found: list[Finding] = field(default_factory=list)

    def add(self, rule: str, *, line: int, element: str, **words: object) -> None:
        """Note that ``rule`` is broken at ``element`` in ``line``."""
        texts = RULES[rule]
        severity = Severity.ERROR if texts.to_publish and self.to_publish else texts.severity
        self.found.append(
            Finding(
                file=self.file,
                line=line,
                element=element,
                rule=rule,
                message=both(texts.zh.format(**words), texts.en.format(**words)),
                mend=both(texts.mend_zh.format(**words), texts.mend_en.format(**words)),
                severity=severity,
            )
        )

    @property
    def has_errors(self) -> bool:
        return any(finding.is_error for finding in self.found)
