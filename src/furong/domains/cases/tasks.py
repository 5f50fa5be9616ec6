"""Jobs of the room: they translate and call commands, nothing else."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from furong.domains.cases import commands
from furong.foundation.access.values import Actor
from furong.foundation.jobs.commands import job


@job("cases.start_case")
def start_case(*, case_id: UUID, now: datetime) -> None:
    """Start the process of a case whose prerequisites are in."""
    commands.start_case(case_id=case_id, actor=Actor.system("cases"), now=now)


@job("cases.render_document", queue="documents")
def render_document(*, document_id: UUID, now: datetime) -> None:
    """Make the sealed file of a document and serve it."""
    commands.render_document(document_id=document_id, actor=Actor.system("cases"), now=now)


@job("cases.run_due")
def run_due(*, now: datetime) -> None:
    """Do what time has brought about."""
    commands.run_due(now=now)
