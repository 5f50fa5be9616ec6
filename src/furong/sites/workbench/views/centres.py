"""The population register's city centres for those who watch them: how far each is, and what two of them contradict."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.registries.population import centres as register
from furong.registries.population.centres import pairs, watching
from furong.registries.population.centres.values import CentreStatus
from furong.registries.population.rights import CENTRES
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.guards import needs

STATES: Mapping[str, tuple[Promise, str]] = {
    "live": (gettext_lazy("abreast"), "ok"),
    "catching_up": (gettext_lazy("catching up"), "run"),
    "silent": (gettext_lazy("not heard of"), "over"),
    "failing": (gettext_lazy("rows are not taken"), "over"),
    "apart": (gettext_lazy("not joined"), "wait"),
}
CONFLICTS: Mapping[str, tuple[Promise, Promise]] = {
    "number_twice": (
        gettext_lazy("One number, two people"),
        gettext_lazy("Compare the papers of both; correct the number of one of them at its centre."),
    ),
    "two_centres": (
        gettext_lazy("One person, two cities"),
        gettext_lazy("Find out where the person lives; take the other entry out at its centre as entered twice."),
    ),
    "one_sided": (
        gettext_lazy("One side of a fact about two people"),
        gettext_lazy(
            "One city holds the marriage or the parenthood, the other does not, although both told it again. "
            "Compare the papers; record or correct it at the city that is wrong."
        ),
    ),
    "facts_crossed": (
        gettext_lazy("Two cities, two acts at once"),
        gettext_lazy(
            "Both cities recorded something about the same two people without knowing of each other; one of the two "
            "stands now. Compare the papers; correct it if the other is right."
        ),
    ),
}


class SettleForm(forms.Form):
    """How a conflict was settled."""

    note = forms.CharField(
        label=gettext_lazy("How it was settled"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say how it was settled.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(CENTRES)
def centres(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show how far each centre is, and settle one conflict."""
    now = timezone.now()
    if not register.is_divided():
        return page(request, actor, "registers/centres", "population_centres", found=(), is_divided=False)
    refused, wrong = None, ""
    form = SettleForm()
    if request.method == "POST":
        wrong, form = request.POST.get("conflict", ""), SettleForm(request.POST)
        if form.is_valid() and wrong.isdigit():
            try:
                watching.settle_conflict(
                    conflict_id=int(wrong),
                    note=form.cleaned_data["note"],
                    actor=actor,
                    basis=Basis(
                        purpose=str(_("Settling a conflict of the register")), legal_basis="户口登记条例第十八条"
                    ),
                    now=now,
                )
            except Refusal as refusal:
                refused = words_of(refusal)
            else:
                messages.success(request, _("Noted. The conflict is settled."))
                return HttpResponseRedirect(request.path)
    found = watching.list_centres(actor=actor, now=now)
    most = max((one.people or 0 for one in found), default=0) or 1
    return page(
        request,
        actor,
        "registers/centres",
        "population_centres",
        is_divided=True,
        found=found,
        names={one.code: _name(one.code) for one in found},
        shares={one.code: round(100 * (one.people or 0) / most) for one in found},
        troubled=[one for one in found if one.state not in ("live", "catching_up")],
        people=sum(one.people or 0 for one in found),
        kept=_most_kept(found),
        conflicts=watching.list_conflicts(actor=actor),
        one_sided=pairs.count_waiting(),
        states=STATES,
        conflict_words=CONFLICTS,
        form=form,
        wrong=wrong,
        refused=refused,
    )


def _name(code: str) -> Mapping[str, str]:
    city = organizations.find_division(code=f"{code}00")
    return {"zh": city.name.zh, "en": city.name.en} if city else {"zh": code, "en": code}


def _most_kept(found: tuple[CentreStatus, ...]) -> int:
    return max((one.kept_bytes or 0 for one in found), default=0)
