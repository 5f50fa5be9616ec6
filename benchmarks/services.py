"""How long checking all implementation lists takes, and composing a life event's one form.

``check_s`` reads the Hunan pack from its files and checks it whole: items, forms built by shapes, processes with their scenarios,
and every implementation list that items, organisations and overrides make (``lists``). ``compose_p95_ms`` merges the forms of a
life event's items and compiles the result, nothing kept from before: the pack's own events, and one of six items drawn from each
cluster. ``asked_once`` is what a life event's form asks over what its items' forms ask one by one; the median over the pack's
events is printed with each event's. ``overbooked``: of fifty slots that five hundred people want at once, places given beyond
what a slot takes (`benchmarks.services_bookings`, on PostgreSQL).

    python -m benchmarks.services [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

PACK = Path(__file__).resolve().parents[1] / "packs" / "hunan"
CHECK_LIMIT_S = 30.0
COMPOSE_LIMIT_MS = 20.0
ASKED_LIMIT = 0.4
LISTS_WANTED = 3_000
ITEMS_OF_AN_EVENT = 6


def main() -> int:
    """Measure, print a table and one line of JSON, and end with 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")
    import django

    django.setup()
    from furong.domains.services.checks.scope import Scope
    from furong.domains.services.forms.compile import compile_form
    from furong.domains.services.values.forms import Form
    from furong.domains.services.values.implementations import lists_of
    from furong.domains.services.values.life_events import EventItem, LifeEvent, compose
    from furong.foundation.packs.reading import check, read_pack
    from furong.foundation.packs.values import Ref

    started = time.perf_counter()
    pack = read_pack(PACK)
    findings = check(pack)
    check_s = time.perf_counter() - started
    errors = sum(finding.is_error for finding in findings)
    scope = Scope(pack)
    lists = sum(1 for item in scope.items.values() for _ in lists_of(item, scope.bodies))

    def drawn() -> Iterator[tuple[LifeEvent, Mapping[str, Form]]]:
        """The pack's life events, and one of six items of each cluster."""
        for event in scope.events.values():
            yield event, {code: scope.forms[code] for code in event.item_codes() if code in scope.forms}
        some = next(iter(scope.events.values()))
        for cluster in scope.clusters:
            codes = [
                c for c, item in sorted(scope.items.items()) if cluster in item.clusters and item.shape is not None
            ]
            chosen = codes[:ITEMS_OF_AN_EVENT]
            items = tuple(EventItem(item=Ref.at(code, 1), required=True) for code in chosen)
            yield _with(some, items), {code: scope.forms[code] for code in chosen}

    spent: list[float] = []
    for _ in range(2 if given.quick else 10):
        for number, (event, forms) in enumerate(drawn()):
            begun = time.perf_counter()
            compile_form(compose(event, forms).form, digest=f"{number}")
            spent.append((time.perf_counter() - begun) * 1000)
    compose_p95_ms = statistics.quantiles(spent, n=20)[-1]

    asked = {}
    for event in scope.events.values():
        forms = {code: scope.forms[code] for code in event.item_codes() if code in scope.forms}
        alone = sum(len(form.asked()) for form in forms.values())
        asked[event.code] = (len(compose(event, forms).form.asked()), alone)
    shares = {code: once / alone for code, (once, alone) in asked.items() if alone}
    print(f"items                     {len(scope.items):>10,}")
    print(f"clusters                  {len(scope.clusters):>10,}")
    print(f"implementation lists      {lists:>10,}   wanted over {LISTS_WANTED:,}")
    print(f"check_s                   {check_s:>10.1f}   at most {CHECK_LIMIT_S:.0f}")
    print(f"compose_p95_ms            {compose_p95_ms:>10.1f}   at most {COMPOSE_LIMIT_MS:.0f}")
    for code, share in sorted(shares.items()):
        print(f"asked_once {code:<20}{share:>5.2f}   {asked[code][0]} instead of {asked[code][1]}")
    median = statistics.median(shares.values()) if shares else 0.0
    print(f"asked_once (median)       {median:>10.2f}   at most {ASKED_LIMIT}")
    booked = json.loads(
        subprocess.run(  # a process of its own, because it has a database
            [sys.executable, "-m", "benchmarks.services_bookings"], check=True, capture_output=True, text=True
        ).stdout.splitlines()[-1]
    )
    print(
        f"overbooked                {booked['overbooked']:>10}   0; {booked['users']} people, {booked['slots']} slots,"
    )
    print(
        f"                          {booked['kept']:>10}   places given of {booked['places']}, "
        f"p95 {booked['book_p95_ms']} ms"
    )
    figures = {
        "items": len(scope.items),
        "clusters": len(scope.clusters),
        "lists": lists,
        "errors": errors,
        "check_s": round(check_s, 2),
        "compose_p95_ms": round(compose_p95_ms, 2),
        "asked_once": round(median, 3),
        "life_events": len(shares),
        **{f"booking_{name}" if name != "overbooked" else name: value for name, value in booked.items()},
    }
    print(json.dumps({"benchmark": "services", "quick": given.quick, **figures}))
    kept = not errors and lists > LISTS_WANTED and check_s <= CHECK_LIMIT_S and compose_p95_ms <= COMPOSE_LIMIT_MS
    kept = kept and booked["overbooked"] == 0
    return 0 if kept else 1


def _with(event: object, items: tuple[object, ...]) -> object:
    from dataclasses import replace

    return replace(event, items=items)  # type: ignore[type-var]


if __name__ == "__main__":
    sys.exit(main())
