"""What staff see: a case of their organisation with the data its item declares, lists, exports, search.

Each department sees only what its item declares. The other elements do not leave the database: the answers are cut down
in SQL by the codes that the case pinned, and no list, search or export holds any answer at all but those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection

from furong.domains.cases import models
from furong.domains.cases.commands.moving import today
from furong.domains.cases.errors import CaseNotFound
from furong.domains.cases.parameters import current_rules
from furong.domains.cases.queries.applying import RELATED
from furong.domains.cases.queries.granted import decide_answers
from furong.domains.cases.queries.listing import LIGHT, case_lines, text_of
from furong.domains.cases.queries.people import by_person, people_of
from furong.domains.cases.queries.reading import (
    answer_views,
    consent_view,
    document_view,
    lane,
    organization_names,
    timeline,
)
from furong.domains.cases.values.clock import Light
from furong.domains.cases.values.states import ENDED, TRANSITIONS, Act, CaseState
from furong.domains.cases.values.supplements import NOTE, answered, files_in, is_element
from furong.domains.cases.values.views import (
    CaseFile,
    CasePage,
    CaseView,
    ExtensionView,
    PauseView,
    ReviewView,
    SiblingView,
    TaskFacts,
)
from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis, Scope
from furong.foundation.audit.commands import read, record_read

# The answers of one case's application, as supplements to any of its cases have changed them since, cut down to the elements the
# case declares. Free words and files are for the case they were handed to.
VISIBLE_ANSWERS = """
SELECT
    (SELECT coalesce(jsonb_object_agg(a.key, a.value), '{}'::jsonb)
       FROM jsonb_each(p.answers) AS a
      WHERE c.visible_elements ? a.key)
    || coalesce(
    (SELECT jsonb_object_agg(s.key, s.value ORDER BY n.answered_at)
       FROM cases_supplement AS n
       JOIN cases_case AS asked ON asked.id = n.case_id AND asked.application_id = c.application_id
      CROSS JOIN jsonb_each(n.answers) AS s
      WHERE (n.case_id = c.id AND (s.key = '' OR left(s.key, 1) = '#')) OR c.visible_elements ? s.key), '{}'::jsonb)
FROM cases_case AS c
JOIN cases_application AS p ON p.id = c.application_id
WHERE c.id = %s
"""

# What earlier items of the same application have produced, cut down the same way.
VISIBLE_OUTPUTS = """
SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}'::jsonb)
FROM cases_case AS c
JOIN cases_case AS other ON other.application_id = c.application_id
CROSS JOIN jsonb_each(other.outputs) AS o
WHERE c.id = %s AND (other.id = c.id OR c.visible_elements ? o.key)
"""


def visible_answers(*, case_id: UUID) -> dict[str, Any]:
    """Return the answers that the case's department may see, by element."""
    return _one_object(VISIBLE_ANSWERS, case_id)


def visible_outputs(*, case_id: UUID) -> dict[str, Any]:
    """Return the outputs of the application's cases that the case's department may see, by element."""
    return _one_object(VISIBLE_OUTPUTS, case_id)


def _one_object(sql: str, case_id: UUID) -> dict[str, Any]:
    import json

    with connection.cursor() as cursor:
        cursor.execute(sql, [case_id])
        row = cursor.fetchone()
    found = row[0] if row is not None else {}
    return dict(json.loads(found) if isinstance(found, str) else found)


@read("cases.case_view")
def case_view(*, case_id: UUID, actor: Actor, basis: Basis, now: datetime) -> CaseView:
    """Return a case to staff of the organisation that handles it, with the data its item declares.

    Another department's data are not in it, whatever the actor's other rights. Raises CaseNotFound, AccessRefused,
    PurposeMissing; leaves a trace of whom was read. About 12 statements.
    """
    if not basis.is_stated:
        raise PurposeMissing
    case = (
        models.Case.objects.select_related("application")
        .defer("application__answers")
        .prefetch_related(*RELATED)
        .filter(id=case_id)
        .first()
    )
    if case is None:
        raise CaseNotFound
    _require_case(case, actor)
    on = today(now)
    siblings = list(
        models.Case.objects.filter(application_id=case.application_id)
        .only("id", "item_code", "item_name", "state", "requires", "ordinal", "application_id")
        .order_by("ordinal")
    )
    answers = visible_answers(case_id=case.id)
    granted = decide_answers(
        answers=answers,
        actor=actor,
        basis=replace(basis, case_id=case.id, item_code=case.item_code),
        division_code=case.division_code,
        now=now,
    )
    answers = granted.shown(answers)
    outputs = visible_outputs(case_id=case.id)
    people, applicant = people_of(application_id=case.application_id), case.application.applicant_person_id
    shown = [code for code in answers if is_element(code) and code not in granted.withheld]
    # Who else is named in the application sees that the body read what is about them, and nothing of the applicant's affair.
    basis = replace(basis, about=basis.about or applicant)
    for person_id, fields in by_person(elements=shown, people=people, applicant=applicant, on=on).items():
        record_read(
            actor=actor,
            basis=basis,
            what="cases.case_view",
            subjects=[person_id],
            fields=fields,
            database="default",
            now=now,
            object=("case", case.id),
            detail=granted.traces(),
        )
    return CaseView(
        lane=lane(case, on=on, names=organization_names([case.organization_id]), siblings=siblings),
        application_id=case.application_id,
        application_number=case.application.number,
        application_title=case.application.title,
        submitted_at=case.application.submitted_at,
        division_code=case.division_code,
        process_instance_id=case.process_instance_id,
        closure_digest=case.closure_digest,
        legal_basis=str(case.terms.get("legal_basis", "")),
        immediate=bool(case.terms.get("immediate")),
        acceptance_due_on=case.acceptance_due_on,
        deemed_accepted=case.deemed_accepted,
        answers=tuple(
            replace(one, withheld=why.code, resource_code=why.resource_code)
            if (why := granted.withheld.get(one.element))
            else one
            for one in answer_views({code: answer for code, answer in answers.items() if is_element(code)})
        ),
        supplement_lines=answered(case.supplement.wanted, answers) if _has_supplement(case) else (),
        supplement_note=str(answers.get(NOTE, {}).get("value") or ""),
        outputs=outputs,
        people=people if applicant is None else {"applicant": applicant, **people},
        siblings=tuple(
            SiblingView(
                item_name=s.item_name,
                state=CaseState(s.state),
                is_prerequisite=s.item_code in case.requires,
                is_dependent=case.item_code in s.requires,
            )
            for s in siblings
            if s.id != case.id
        ),
        timeline=timeline(case.events.order_by("-at"), {case.id: case}, public_only=False),
        documents=tuple(document_view(d) for d in case.documents.order_by("-issued_at")),
        consents=tuple(consent_view(c) for c in case.consents.select_related("case__application")),
        pauses=tuple(
            PauseView(
                procedure=p.procedure,
                legal_basis=p.legal_basis,
                reason=p.reason,
                started_on=p.started_on,
                expected_until_on=p.expected_until_on,
                ended_on=p.ended_on,
            )
            for p in case.pauses.order_by("started_at")
        ),
        extensions=tuple(
            ExtensionView(
                id=e.id,
                days=e.days,
                reason=e.reason,
                state=e.state,
                requested_at=e.requested_at,
                requested_by_account_id=e.requested_by_account_id,
            )
            for e in case.extensions.order_by("requested_at")
        ),
        reviews=tuple(
            ReviewView(
                id=r.id,
                reason=r.reason,
                state=r.state,
                requested_at=r.requested_at,
                due_on=r.due_on,
                answer=r.answer,
            )
            for r in case.reviews.order_by("requested_at")
        ),
        acts=acts_offered(case, actor, on),
    )


def _has_supplement(case: models.Case) -> bool:
    return hasattr(case, "supplement")


@read("cases.open_file")
def open_file(*, case_id: UUID, digest: str, actor: Actor, basis: Basis, now: datetime) -> CaseFile:
    """Return a file that the applicant handed in with a case, to staff who may see the case.

    Only a file among the answers that the case's department may see: a digest alone opens nothing. Leaves a trace of whom was
    read. Raises CaseNotFound, AccessRefused, PurposeMissing.
    """
    if not basis.is_stated:
        raise PurposeMissing
    case = models.Case.objects.select_related("application").defer("application__answers").filter(id=case_id).first()
    if case is None:
        raise CaseNotFound
    _require_case(case, actor)
    found = next(((k, f) for k, f in files_in(visible_answers(case_id=case_id)) if f["digest"] == digest), None)
    if found is None:
        raise CaseNotFound
    key, file = found
    if case.application.applicant_person_id is not None:
        record_read(
            actor=actor,
            basis=basis,
            what="cases.open_file",
            subjects=[case.application.applicant_person_id],
            fields=[key if is_element(key) else "file"],
            database="default",
            now=now,
            object=("case", case.id),
        )
    return CaseFile(
        digest=digest, name=str(file.get("name", "")), media_type=str(file["media_type"]), size=int(file["size"])
    )


def _require_case(case: models.Case, actor: Actor) -> None:
    for right in ("cases.handle", "cases.decide", "cases.supervise"):
        if access.allows(
            actor=actor,
            right=right,
            organization_id=case.organization_id,
            division_code=case.division_code,
        ):
            return
    raise AccessRefused


def acts_offered(case: models.Case, actor: Actor, on: date) -> frozenset[str]:
    """Return the acts that the case's state and the actor's rights allow, for showing buttons."""
    state = CaseState(case.state)
    lawful = {act for (s, act) in TRANSITIONS if s is state}
    handle = access.allows(
        actor=actor,
        right="cases.handle",
        organization_id=case.organization_id,
        division_code=case.division_code,
    )
    decide = access.allows(
        actor=actor,
        right="cases.decide",
        organization_id=case.organization_id,
        division_code=case.division_code,
    )
    offered: set[str] = set()
    if handle:
        offered |= {
            a.value for a in lawful & {Act.ACCEPT, Act.REFUSE_ACCEPTANCE, Act.REQUEST_SUPPLEMENT, Act.PAUSE, Act.RESUME}
        }
        late = case.acceptance_due_on is not None and on > case.acceptance_due_on
        if late or hasattr(case, "supplement"):
            offered.discard(Act.REQUEST_SUPPLEMENT.value)
        running = {"requested", "approved"}
        if Act.EXTEND in lawful and not any(e.state in running for e in case.extensions.all()):
            offered.add("request_extension")
    if decide:
        offered |= {a.value for a in lawful & {Act.APPROVE, Act.REJECT}}
        # Accepted and decided in one sitting.
        if state is CaseState.SUBMITTED:
            offered |= {Act.APPROVE.value, Act.REJECT.value}
        if any(e.state == "requested" and e.requested_by_account_id != actor.account_id for e in case.extensions.all()):
            offered.add("decide_extension")
        if any(r.state == "requested" for r in case.reviews.all()) and (actor.account_id != case.decided_by_account_id):
            offered.add("answer_review")
    return frozenset(offered)


# One page of cases in a scope, by number; no answers in it.
@read("cases.search_cases")
def search_cases(
    *,
    scope: Scope,
    actor: Actor,
    now: datetime,
    text: str = "",
    states: Sequence[CaseState] = (),
    item_code: str = "",
    after: str = "",
    limit: int = 50,
) -> CasePage:
    """Return a page of the cases in ``scope`` whose number or item's name holds ``text``.

    It searches no answer, so that nobody learns by searching what their own case does not show them. ``after``
    continues a page.
    """
    conditions, params = _in_scope(scope)
    if text.strip():
        conditions.append("(c.number LIKE %s OR c.item_name ->> 'zh' LIKE %s OR c.item_name ->> 'en' ILIKE %s)")
        params += [f"%{_like(text)}%"] * 3
    if states:
        conditions.append("c.state = ANY(%s)")
        params.append([s.value for s in states])
    if item_code:
        conditions.append("c.item_code = %s")
        params.append(item_code)
    if after:
        conditions.append("c.number < %s")
        params.append(after)
    lines = case_lines(conditions, params, limit=limit + 1, on=today(now))
    return CasePage(lines=tuple(lines[:limit]), next_after=lines[limit - 1].number if len(lines) > limit else "")


def _like(text: str) -> str:
    return text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _in_scope(scope: Scope) -> tuple[list[str], list[Any]]:
    sql, params = scope.sql(organization_column="c.organization_id", division_column="c.division_code")
    return [sql], list(params)


def items_in_scope(*, scope: Scope) -> dict[str, Mapping[str, str]]:
    """Return the names of the items that have cases in ``scope``, by code; empty without any."""
    (where,), params = _in_scope(scope)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (c.item_code) c.item_code, c.item_name FROM cases_case AS c WHERE {where} "
            "ORDER BY c.item_code, c.id DESC",
            params,
        )
        return {code: text_of(name) for code, name in cursor.fetchall()}


@read("cases.export_cases")
def export_cases(
    *, scope: Scope, item_code: str, actor: Actor, basis: Basis, now: datetime, limit: int = 10_000
) -> Iterator[Mapping[str, Any]]:
    """Yield the cases of one item in ``scope`` with the data that the item's department may see.

    Each person disclosed leaves a trace. Raises PurposeMissing; AccessRefused without any scope.
    """
    if not basis.is_stated:
        raise PurposeMissing
    if scope.is_empty:
        raise AccessRefused
    conditions, params = _in_scope(scope)
    conditions.append("c.item_code = %s")
    lines = case_lines(conditions, [*params, item_code], limit=limit, on=today(now))
    people = dict(
        models.Case.objects.filter(id__in=[line.case_id for line in lines]).values_list(
            "id", "application__applicant_person_id"
        )
    )
    rows = []
    fields: set[str] = set()
    traces: dict[str, Any] = {}
    for line in lines:
        answers = visible_answers(case_id=line.case_id)
        # A list of many is no reading for one case: what is granted for one person at a time is not in it.
        granted = decide_answers(
            answers=answers,
            actor=actor,
            basis=replace(basis, item_code=item_code),
            division_code=line.division_code,
            now=now,
            subjects=len(lines),
        )
        for name, told in granted.traces().items():
            traces.setdefault(name, told)
        answers = {code: answer for code, answer in answers.items() if code not in granted.withheld}
        fields |= {code for code in answers if is_element(code)}
        rows.append(
            {
                "number": line.number,
                "item": line.item_name,
                "state": line.state.value,
                "submitted_at": line.submitted_at.isoformat(),
                "answers": {code: a.get("value") for code, a in answers.items() if is_element(code)},
            }
        )
    record_read(
        actor=actor,
        basis=basis,
        what="cases.export_cases",
        subjects=[p for p in people.values() if p is not None],
        fields=fields,
        database="default",
        now=now,
        detail=traces,
    )
    return iter(rows)


_FACTS = f"""
SELECT c.id, c.number, c.item_name::text, a.title::text, c.state, {LIGHT}, c.promised_due_on, a.submitted_at
  FROM cases_case AS c JOIN cases_application AS a ON a.id = c.application_id
 WHERE c.id = ANY(%(ids)s)
"""


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Mapping[str, str]:
    """A text of a definition, of which a list holds few that differ; nobody changes what is given."""
    return MappingProxyType(json.loads(text))


def facts_of_tasks(*, case_ids: Sequence[UUID], now: datetime) -> dict[UUID, TaskFacts]:
    """Return what a work list shows beside its tasks, by case. One statement; no personal data."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"ids": list(case_ids), "on": today(now)})
        rows = cursor.fetchall()
    return {
        row[0]: TaskFacts(
            case_id=row[0],
            case_number=row[1],
            item_name=_parsed(row[2]),
            application_title=_parsed(row[3]),
            state=CaseState(row[4]),
            light=Light(row[5]),
            due_on=row[6],
            submitted_at=row[7],
        )
        for row in rows
    }


def count_of_case(*, case_id: UUID) -> int:
    """Return how many cases the application of a case holds."""
    return models.Case.objects.filter(application__cases=case_id).count()


def yellow_share(now: datetime) -> int:
    """Return the share of a limit, in percent, from which a case is yellow today."""
    return current_rules(on=today(now)).yellow_share_percent


ENDED_STATES = tuple(s.value for s in ENDED)
