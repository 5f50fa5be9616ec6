"""Rights as labels: what a document carries, and what an actor brings, so that an index can compare them. Pure.

A right over an organisation or a division becomes ``right@…``. A document of a county's health office carries the office and
each beginning of its division's code (43, 4302, 430202); whoever holds the right for 4302 brings ``right@4302``, and both meet.
"""

from __future__ import annotations

from uuid import UUID

from furong.foundation.access.values import Scope

_EVERYWHERE = "*"


def labels_of_row(*, right: str, organization_id: UUID, division_code: str) -> tuple[str, ...]:
    """Give the labels under which those who hold a right over an organisation and its division find a row."""
    beginnings = [division_code[:length] for length in range(1, len(division_code) + 1)]
    return (
        f"{right}@{_EVERYWHERE}",
        f"{right}@{organization_id}",
        *(f"{right}@{one}" for one in beginnings),
        *(f"{right}@{organization_id}/{one}" for one in beginnings),
    )


def labels_of_scope(*, right: str, scope: Scope) -> frozenset[str]:
    """Give the labels that a scope of a right brings; none for an empty one."""
    if scope.everything:
        return frozenset({f"{right}@{_EVERYWHERE}"})
    return frozenset(
        (
            *(f"{right}@{one}" for one in scope.organization_ids),
            *(f"{right}@{one}" for one in scope.division_prefixes),
            *(f"{right}@{organization_id}/{one}" for organization_id, one in scope.narrowed),
        )
    )
