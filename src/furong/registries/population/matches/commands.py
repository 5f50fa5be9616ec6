"""Asking for a comparison, carrying it out, and throwing its files away."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from uuid import UUID

import polars as pl
from django.db import transaction

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.audit.commands import command, current, record_many
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from furong.foundation.notices import commands as notices
from furong.foundation.notices.templates import register_template
from furong.foundation.storage import commands as storage
from furong.foundation.storage import queries as stored

from .. import limits, terms
from ..errors import FieldUnknown
from ..queries import DATABASE
from ..rights import MATCH
from .comparing import compare
from .models import Match
from .reading import read_asked
from .values import DISCLOSABLE, KEPT_FOR, MatchState

_MOST_BYTES = 400 << 20
_PARQUET = "application/vnd.apache.parquet"
DONE, FAILED = "population.match_done", "population.match_failed"

register_template(
    DONE,
    title={"zh": "批量比对已完成", "en": "Your comparison is done"},
    body={
        "zh": "您于 {asked_on} 提交的批量比对已完成，共 {rows} 行。结果保留至 {until}，请在“人口信息—批量比对”中下载。",
        "en": "The comparison that you asked for on {asked_on} is done: {rows} rows. Fetch its answers under Population, "
        "Comparisons, until {until}.",
    },
)
register_template(
    FAILED,
    title={"zh": "批量比对未能完成", "en": "Your comparison failed"},
    body={
        "zh": "您于 {asked_on} 提交的批量比对未能完成，原因见“人口信息—批量比对”。",
        "en": "The comparison that you asked for on {asked_on} failed. The reason stands under Population, Comparisons.",
    },
)


@command("population.request_match", database=DATABASE)
def request_match(
    *,
    source: Path,
    file_name: str,
    columns: dict[str, str],
    fields: tuple[str, ...],
    encoding: str = "utf-8",
    separator: str = ",",
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> UUID:
    """Take a CSV or Parquet file of at most a million people to be compared, and return the comparison's key.

    ``columns`` gives ``number``, ``name`` and ``born_on`` the names of the file's columns; ``fields`` are those of `DISCLOSABLE`
    to be told of people who match. The caller has `tasks.start` carry it out. Raises `FileUnreadable`, `MappingInvalid`,
    `FieldUnknown`, ``PurposeMissing``, ``AccessRefused``, ``TooManyAsked``.
    """
    if not basis.is_stated or not basis.legal_basis.strip():
        raise PurposeMissing
    access.require(actor=actor, right=MATCH)
    if actor.account_id is None or actor.post_id is None:
        raise AccessRefused
    for name in fields:
        if name not in DISCLOSABLE:
            raise FieldUnknown(field=name)
    asked = read_asked(source=source, columns=columns, encoding=encoding, separator=separator)
    terms.decide(actor=actor, basis=basis, fields=_fields(fields), now=now, divisions=None, subjects=asked.height)
    limits.keep(actor=actor, what="population.request_match", now=now)
    match_id = new_id()
    staged = io.BytesIO()
    # The key makes the content its own: nobody else's file is thrown away with it.
    asked.with_columns(match=pl.lit(str(match_id))).write_parquet(staged)
    kept = storage.put(staged.getvalue(), _PARQUET, limit_bytes=_MOST_BYTES, now=now)
    Match.objects.create(
        id=match_id,
        account_id=actor.account_id,
        post_id=actor.post_id,
        organization_id=actor.organization_id,
        division_code=actor.division_code,
        assurance=int(actor.assurance),
        post_label=actor.label,
        organization_label=actor.organization_label,
        purpose=basis.purpose,
        legal_basis=basis.legal_basis,
        case_id=basis.case_id,
        fields=list(fields),
        file_name=file_name[:200],
        is_parquet=source.suffix.lower() == ".parquet",
        rows=asked.height,
        given_digest=kept.digest,
        asked_at=now,
        expires_at=now + KEPT_FOR,
    )
    current().object("match", match_id)
    current().detail(rows=asked.height, fields=list(fields))
    return match_id


def carry_out(*, match_id: UUID, now: datetime) -> None:
    """Compare a file that waits, keep the answers, record whom it disclosed and tell the asker.

    May be called again after any end of a worker: what is done is not done again, and what a comparison recorded is what its file
    says, for both are settled in one transaction. A refusal (a right taken away meanwhile) ends it as failed, with the reason.
    """
    match = Match.objects.filter(pk=match_id).first()
    if match is None:
        return
    if match.state == MatchState.WAITING:
        try:
            _compare(match, now=now)
        except Refusal as refusal:
            give_up(match_id=match_id, problem=str(refusal.text % refusal.params), mend=str(refusal.advice), now=now)
            return
        match.refresh_from_db()
    _tell(match, now=now)


def _compare(match: Match, *, now: datetime) -> None:
    actor, basis = _asker(match), Basis(purpose=match.purpose, legal_basis=match.legal_basis, case_id=match.case_id)
    fields = tuple(match.fields)
    scope = access.require(actor=actor, right=MATCH).scope
    named = _fields(fields)
    by = terms.decide(actor=actor, basis=basis, fields=named, now=now, divisions=None, subjects=match.rows)
    where, params = scope.sql(organization_column="", division_column="p.division_code")
    granted, prefixes = terms.rows_of(by, division_column="p.division_code")
    asked = pl.read_parquet(io.BytesIO(stored.get(match.given_digest))).drop("match")
    answers, people = compare(
        asked,
        fields=fields,
        where=f"{where} AND {granted}",
        params=[*params, *prefixes],
        tell=lambda rows: _progress(match.id, rows),
    )
    out = io.BytesIO()
    if match.is_parquet:
        answers.with_columns(match=pl.lit(str(match.id))).write_parquet(out)
    else:
        out.write(b"\xef\xbb\xbf")
        answers.write_csv(out)
        out.write(f"# {match.id}\r\n".encode())
    kept = storage.put(out.getvalue(), _PARQUET if match.is_parquet else "text/csv", limit_bytes=_MOST_BYTES, now=now)
    with transaction.atomic(using=DATABASE):
        settled = Match.objects.select_for_update().get(pk=match.pk)
        if settled.state != MatchState.WAITING:
            return  # another worker was faster
        record_many(
            actor=actor,
            basis=basis,
            what="population.match_people",
            subjects=people.to_list(),
            fields=named,
            database=DATABASE,
            now=now,
            object=("match", match.pk),
            detail={"rows": match.rows, **terms.told(by)},
        )
        settled.state = MatchState.DONE.value
        settled.position = match.rows
        settled.result_digest = kept.digest
        settled.counts = {str(name): int(many) for name, many in answers["answer"].value_counts().iter_rows()}
        settled.finished_at = now
        settled.save()


def _fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """A match confirms name, number and birth, whatever else is told."""
    return tuple(dict.fromkeys(("name", "number", "born_on", *fields)))


def _asker(match: Match) -> Actor:
    return Actor(
        kind=ActorKind.STAFF,
        account_id=match.account_id,
        post_id=match.post_id,
        organization_id=match.organization_id,
        division_code=match.division_code,
        assurance=Assurance(match.assurance),
        label=match.post_label,
        organization_label=match.organization_label,
    )


def _progress(match_id: UUID, rows: int) -> None:
    Match.objects.filter(pk=match_id, state=MatchState.WAITING).update(position=rows)


def give_up(*, match_id: UUID, problem: str, mend: str, now: datetime) -> None:
    """End a comparison as failed, with the reason that its page shows, and tell the asker."""
    ended = Match.objects.filter(pk=match_id, state=MatchState.WAITING)
    ended.update(state=MatchState.FAILED.value, problem=problem, mend=mend, finished_at=now)
    _tell(Match.objects.get(pk=match_id), now=now)


def _tell(match: Match, *, now: datetime) -> None:
    if match.state not in {MatchState.DONE, MatchState.FAILED}:
        return
    from django.utils import timezone

    notices.send(
        template=DONE if match.state == MatchState.DONE else FAILED,
        params={
            "asked_on": timezone.localdate(match.asked_at).isoformat(),
            "rows": match.rows,
            "until": timezone.localdate(match.expires_at).isoformat(),
        },
        account_id=match.account_id,
        key=f"population.match:{match.pk}:{match.state}",
        now=now,
    )


def expire(*, now: datetime) -> int:
    """Throw away the files of comparisons whose time is over, and return how many. For the daily job."""
    count = 0
    for match in Match.objects.filter(expires_at__lte=now).exclude(state=MatchState.EXPIRED):
        for digest in (match.given_digest, match.result_digest):
            if digest:
                storage.discard(digest)
        match.state = MatchState.EXPIRED.value
        match.save(update_fields=["state"])
        count += 1
    return count
