"""Export: the cases of one service as a table, for a stated purpose, with what the service's department may see and no more."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from furong.domains.cases import queries as cases
from furong.domains.cases.values import CaseState
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.values import DataElement
from furong.domains.catalogue.wording import told
from furong.foundation.access.values import Actor, Basis
from furong.foundation.web.texts import moment, text
from furong.sites.workbench import presenting
from furong.sites.workbench.desk import page
from furong.sites.workbench.forms_registers import LEGAL_BASES, ExportForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.work import CASE_RIGHTS, scope_of

# What a spreadsheet would take for a formula when a cell begins with it (OWASP, CSV injection).
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*CASE_RIGHTS)
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Give the cases of a service as CSV once the purpose is stated; who is in it can read that, and why."""
    now, scope = timezone.now(), scope_of(actor)
    items = cases.items_in_scope(scope=scope)
    form = ExportForm(request.POST or None, items=[(code, text(name)) for code, name in items.items()])
    if request.method == "POST" and form.is_valid():
        item = form.cleaned_data["item"]
        basis = Basis(purpose=form.purpose_words(), legal_basis=form.cleaned_data["legal_basis"])
        rows = list(cases.export_cases(scope=scope, item_code=item, actor=actor, basis=basis, now=now))
        answer = HttpResponse(
            _table(rows, catalogue.get_dictionary(on=timezone.localdate(now))), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="cases-{item}-{timezone.localdate(now):%Y%m%d}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer
    return page(request, actor, "export", "cases", form=form, legal_bases=LEGAL_BASES, items=items)


def _table(rows: Sequence[Mapping[str, Any]], dictionary: Mapping[str, DataElement]) -> str:
    """Write the rows: number, service, state, day, then each element that any of them holds, keys of things left out."""
    held = {code for row in rows for code in row["answers"]}
    shown = [code for code in sorted(held) if (one := dictionary.get(code)) is None or one.type != "id"]
    out = io.StringIO()
    out.write("\ufeff")  # spreadsheets take a file without it for one of the local code page
    table = csv.writer(out)
    names = [text(dictionary[code].name) if code in dictionary else code for code in shown]
    table.writerow([_("Case"), _("Service"), _("State"), _("Handed in"), *names])
    for row in rows:
        table.writerow(
            [
                row["number"],
                text(row["item"]),
                presenting.state_words(CaseState(row["state"]))[0],
                moment(dt.datetime.fromisoformat(row["submitted_at"])),
                *(_cell(told(dictionary.get(code), row["answers"].get(code))) for code in shown),
            ]
        )
    return out.getvalue()


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULAS) else value
