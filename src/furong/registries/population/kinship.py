"""How a member of a household is related to its head, told from facts about two people (GB/T 4761). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from .values import MALE, child_of_head, grandchild_of_head

HEAD = "02"
OTHER_RELATIVE = "97"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """What kinship needs to know of a person."""

    person_id: UUID
    sex: str
    born_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """People and the facts that join them; ``parents`` and ``children`` are each other's mirror."""

    people: Mapping[UUID, Kin]
    mother: Mapping[UUID, UUID] = field(default_factory=dict)
    father: Mapping[UUID, UUID] = field(default_factory=dict)
    spouse: Mapping[UUID, UUID] = field(default_factory=dict)

    def parents(self, person_id: UUID) -> tuple[UUID, ...]:
        """Return father and mother as far as known."""
        found = (self.father.get(person_id), self.mother.get(person_id))
        return tuple(one for one in found if one is not None)

    def children(self, person_id: UUID) -> tuple[UUID, ...]:
        """Return the children known, eldest first."""
        found = [one for one in self.people if person_id in self.parents(one)]
        return tuple(sorted(found, key=lambda one: (self.people[one].born_on, str(one))))


def relation_to_head(*, person_id: UUID, head_id: UUID, family: Family) -> str:
    """Return the GB/T 4761 code of what the person is to the head; ``97`` when no nearer fact says."""
    if person_id == head_id:
        return HEAD
    me, head = family.people[person_id], family.people.get(head_id)
    male = me.sex == MALE
    if family.spouse.get(head_id) == person_id:
        return "11" if male else "12"
    if head_id in family.parents(person_id):
        siblings = [family.people[one] for one in family.children(head_id)]
        elder = sum(1 for one in siblings if one.sex == me.sex and _before(one, me))
        return child_of_head(sex=me.sex, elder_of_same_sex=elder)
    if person_id in family.parents(head_id):
        return "51" if male else "52"
    for parent in family.parents(person_id):
        if head_id in family.parents(parent):
            through = family.people.get(parent)
            return grandchild_of_head(sex=me.sex, through_son=through is not None and through.sex == MALE)
    for ancestor, codes in ((family.father.get(head_id), ("61", "62")), (family.mother.get(head_id), ("63", "64"))):
        if ancestor is not None and person_id in family.parents(ancestor):
            return codes[0] if male else codes[1]
    if set(family.parents(head_id)) & set(family.parents(person_id)):
        older = head is not None and _before(me, head)
        return ("71" if older else "73") if male else ("75" if older else "77")
    return _by_marriage(me, head_id, family)


def _by_marriage(me: Kin, head_id: UUID, family: Family) -> str:
    male = me.sex == MALE
    married_to = family.spouse.get(me.person_id)
    spouse_of_head = family.spouse.get(head_id)
    head = family.people.get(head_id)
    if married_to is not None and head_id in family.parents(married_to):
        return "28" if male else "38"
    if spouse_of_head is not None:
        if me.person_id in family.parents(spouse_of_head):
            wife_heads = head is not None and head.sex != MALE
            return ("53" if male else "54") if wife_heads else ("55" if male else "56")
        if spouse_of_head in family.parents(me.person_id):
            return "27" if male else "37"  # a stepchild
    if married_to is not None and married_to in family.parents(head_id):
        return "57" if male else "58"
    for parent in family.parents(me.person_id):
        if set(family.parents(parent)) & set(family.parents(head_id)):
            uncle = family.people.get(parent)
            if uncle is not None and uncle.sex == MALE:
                return "93" if male else "94"
            return "95" if male else "96"
        for grandparent in family.parents(parent):
            if head_id in family.parents(grandparent):
                return "47" if male else "48"
    return OTHER_RELATIVE


def _before(one: Kin, other: Kin) -> bool:
    return (one.born_on, str(one.person_id)) < (other.born_on, str(other.person_id))
