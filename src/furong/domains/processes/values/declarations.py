"""What a BPMN file declares beside its processes: messages, errors, escalations, message flows, associations, names of data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from furong.domains.processes.values.elements import EVENT_DEFINITIONS, FURONG, MODEL

M = f"{{{MODEL}}}"
F = f"{{{FURONG}}}"


def local(element: Any) -> tuple[str, str]:
    """Give namespace and name of an element; comments and processing instructions have neither."""
    if not isinstance(element.tag, str):
        return "", ""
    name = etree.QName(element)
    return name.namespace or "", name.localname


def text_of(element: Any | None) -> str:
    """Give the text inside an element, "" when there is none."""
    return "" if element is None else "".join(element.itertext()).strip()


def bare(reference: str) -> str:
    """Give a reference without the prefix of its namespace."""
    return reference.rpartition(":")[2]


def flag(element: Any, name: str, *, default: bool = False) -> bool:
    """Give an attribute that is true or false, which XML Schema also writes as 1 and 0."""
    return str(element.get(name, str(default))).strip().lower() in {"true", "1"}


@dataclass(slots=True)
class Declarations:
    """By id, unless said otherwise."""

    messages: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    escalations: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)  # names of data objects, inputs and outputs
    associated: dict[str, list[str]] = field(default_factory=dict)  # source of an association → its targets
    message_flows: dict[str, str] = field(default_factory=dict)  # either end → the message's name
    participants: dict[str, str] = field(default_factory=dict)  # process → the pool's name
    events: dict[str, Any] = field(default_factory=dict)  # event definitions that several events share

    @classmethod
    def read(cls, root: Any) -> Declarations:
        """Collect them from a file's root."""
        found = cls()
        for one in root.findall(f"{M}message"):
            found.messages[one.get("id", "")] = one.get("name") or one.get("id", "")
        for one in root.findall(f"{M}error"):
            found.errors[one.get("id", "")] = one.get("errorCode") or one.get("name") or one.get("id", "")
        for one in root.findall(f"{M}escalation"):
            found.escalations[one.get("id", "")] = one.get("escalationCode") or one.get("name") or one.get("id", "")
        for one in root:
            if local(one)[1] in EVENT_DEFINITIONS:
                found.events[one.get("id", "")] = one
        for tag in ("dataObject", "dataInput", "dataOutput", "property", "dataObjectReference"):
            for one in root.iter(f"{M}{tag}"):
                name = one.get("name") or found.data.get(one.get("dataObjectRef", "")) or one.get("id", "")
                found.data[one.get("id", "")] = " ".join(name.split())
        for one in root.iter(f"{M}association"):
            found.associated.setdefault(one.get("sourceRef", ""), []).append(one.get("targetRef", ""))
        for collaboration in root.findall(f"{M}collaboration"):
            for one in collaboration.findall(f"{M}participant"):
                found.participants[bare(one.get("processRef", ""))] = one.get("name", "")
            for one in collaboration.findall(f"{M}messageFlow"):
                ref = bare(one.get("messageRef", ""))
                name = found.messages.get(ref) or one.get("name") or one.get("id", "")
                found.message_flows.setdefault(one.get("sourceRef", ""), name)
                found.message_flows.setdefault(one.get("targetRef", ""), name)
        return found

    def sent(self, root: Any) -> set[str]:
        """Give the names of the messages that the pools of a file send, and the ids of elements to which a message flow leads."""
        found = set(self.message_flows.values())
        # furong:sender on a message says who outside sends it.
        found |= {self.messages[one.get("id", "")] for one in root.findall(f"{M}message") if one.get(f"{F}sender")}
        for collaboration in root.findall(f"{M}collaboration"):
            found |= {one.get("targetRef", "") for one in collaboration.findall(f"{M}messageFlow")}
        thrown = [
            (event.get("id", ""), definition.get("messageRef", ""))
            for tag in ("intermediateThrowEvent", "endEvent")
            for event in root.iter(f"{M}{tag}")
            for definition in event.findall(f"{M}messageEventDefinition")
        ]
        thrown += [(task.get("id", ""), task.get("messageRef", "")) for task in root.iter(f"{M}sendTask")]
        found |= {self.messages.get(bare(ref)) or self.message_flows.get(name, "") for name, ref in thrown}
        return found - {""}
