"""Objections to data: what is to answer, what one's office filed, one of them, and filing one from a case's fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.cases import queries as cases
from furong.domains.cases.queries.people import person_of
from furong.domains.catalogue import queries as catalogue
from furong.domains.objections import commands, queries
from furong.domains.objections.values import Act, Subject
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench import presenting
from furong.sites.workbench.desk import page, staff, words_of
from furong.sites.workbench.forms_objections import CorrectForm, NoWordsForm, ObjectForm, WordsForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.work import reading

RIGHTS = ("catalogue.edit", "catalogue.review", "cases.handle", "cases.decide")
STATES: Mapping[str, tuple[Promise, str]] = {
    "filed": (gettext_lazy("Waits for the provider"), "late"),
    "upheld": (gettext_lazy("Upheld: to be corrected"), "over"),
    "corrected": (gettext_lazy("Corrected"), "ok"),
    "refused": (gettext_lazy("Answered: the value stands"), "wait"),
    "ruling_asked": (gettext_lazy("Waits for a ruling"), "late"),
    "confirmed": (gettext_lazy("Ruled: the value stands"), "wait"),
    "withdrawn": (gettext_lazy("Withdrawn"), "wait"),
}
ACTS: Mapping[str, Promise] = {
    "file": gettext_lazy("Objected"),
    "correct": gettext_lazy("Corrected"),
    "refuse": gettext_lazy("Answered that the value stands"),
    "ask_ruling": gettext_lazy("Asked for a ruling"),
    "uphold": gettext_lazy("Ruled that it is to be corrected"),
    "confirm": gettext_lazy("Ruled that the value stands"),
    "withdraw": gettext_lazy("Withdrew"),
    "escalate": gettext_lazy("The term passed; the data authority was told"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that can be done to an objection: its words, its form and its command."""

    label: Promise
    effect: Promise
    run: Callable[..., object]
    form: type[forms.Form] = WordsForm
    kind: str = ""


def _rule(*, upheld: bool) -> Callable[..., object]:
    def run(**given: Any) -> object:
        return commands.rule(upheld=upheld, **given)

    return run


DEEDS: Mapping[Act, Deed] = {
    Act.CORRECT: Deed(
        label=gettext_lazy("It has been corrected"),
        effect=gettext_lazy("Correct it in your register first. Whoever read the wrong value is then told, once."),
        run=commands.correct,
        form=CorrectForm,
    ),
    Act.REFUSE: Deed(
        label=gettext_lazy("The value stands"),
        effect=gettext_lazy("Whoever objected reads your reason and can ask the data authority for a ruling."),
        run=commands.refuse,
        kind="quiet",
    ),
    Act.UPHOLD: Deed(
        label=gettext_lazy("Rule: to be corrected"),
        effect=gettext_lazy("The provider has ten working days to correct it."),
        run=_rule(upheld=True),
    ),
    Act.CONFIRM: Deed(
        label=gettext_lazy("Rule: the value stands"),
        effect=gettext_lazy("The objection is closed, and both sides read your reason."),
        run=_rule(upheld=False),
        kind="quiet",
    ),
    Act.ASK_RULING: Deed(
        label=gettext_lazy("Ask for a ruling"),
        effect=gettext_lazy("The data authority decides between you and the provider."),
        run=commands.ask_ruling,
    ),
    Act.WITHDRAW: Deed(
        label=gettext_lazy("Withdraw"),
        effect=gettext_lazy("The objection is closed. You can object again."),
        run=commands.withdraw,
        form=NoWordsForm,
        kind="quiet",
    ),
}


@require_safe
@needs(*RIGHTS)
def objections(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what the actor answers or rules on, and what their office objected to."""
    now = timezone.now()
    return page(
        request,
        actor,
        "objections/all",
        "objections",
        to_answer=queries.list_to_answer(actor=actor, now=now),
        filed=queries.list_filed(actor=actor, now=now),
        states=STATES,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*RIGHTS)
def objection(request: HttpRequest, actor: Actor, objection_id: UUID) -> HttpResponse:
    """Show an objection with its steps, and do one thing to it."""
    now = timezone.now()
    view = queries.get_objection(objection_id=objection_id, actor=actor, now=now)
    verb = request.POST.get("act", "")
    done = Act(verb) if verb in set(Act) else None
    offered = {act: deed for act, deed in DEEDS.items() if act in view.may}
    shown = {act: deed.form(request.POST if act is done else None, prefix=act.value) for act, deed in offered.items()}
    refused = None
    if request.method == "POST":
        if done not in offered:
            refused = (_("This cannot be done with the objection as it stands now."), _("Reload the page."))
        elif shown[done].is_valid():
            try:
                offered[done].run(objection_id=objection_id, actor=actor, now=now, **shown[done].cleaned_data)
            except Refusal as refusal:
                refused = words_of(refusal)
            else:
                messages.success(request, _("Recorded."))
                return HttpResponseRedirect(request.path)
    response = page(
        request,
        actor,
        "objections/one",
        "objections",
        view=view,
        line=view.line,
        person=queries.person_concerned(view=view, actor=actor, now=now),
        states=STATES,
        acts=ACTS,
        deeds=[(act.value, deed, shown[act]) for act, deed in offered.items()],
        done=shown[done] if done in offered else None,
        refused=refused,
    )
    if refused or any(form.errors for form in shown.values()):
        response.status_code = 422
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def object_to_fact(request: HttpRequest, actor: Actor, case_id: UUID, element: str) -> HttpResponse:
    """Say that a fact of a case, which a register supplied, is wrong."""
    now = timezone.now()
    on = timezone.localdate(now)
    view = cases.case_view(case_id=case_id, actor=actor, basis=reading(case_id), now=now)
    fact = next(
        (one for one in presenting.facts_of(view, catalogue.get_dictionary(on=on)) if one.element == element), None
    )
    source = queries.sources_of(elements=[element]).get(element) if fact is not None and not fact.is_own else None
    person = person_of(element=element, people=view.people, applicant=view.people.get("applicant"), on=on)
    if fact is None or source is None or person is None:
        raise Http404
    form = ObjectForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            filed = commands.file_objection(
                resource_code=source.resource_code,
                item_code=source.item_code,
                subject=Subject(person_id=person),
                case_id=case_id,
                actor=actor,
                now=now,
                **form.cleaned_data,
            )
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("Recorded. The provider has ten working days to correct it or to answer."))
            return HttpResponseRedirect(reverse("workbench:objection", kwargs={"objection_id": filed}))
    response = page(
        request,
        actor,
        "objections/file",
        "cases",
        view=view,
        fact=fact,
        source=source,
        form=form,
        refused=refused,
    )
    if refused or form.errors:
        response.status_code = 422
    return response
