"""What lives and works on a divided register in fault tests: programs that are killed in the middle of what they do.

    python -m tests.faults.citizens migrate | settle PEOPLE | act NUMBER THREADS EVENTS SEED OF | keep | read | drain

``act`` journals what it is about to ask for before it asks, and what was acknowledged after it: whoever comes after it asks
again for what has no answer, by the same effect.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
GIVEN = "安宁若溪知夏念荷芷沅子衿清和景明书禾云川山石林泉松柏竹兰梅菊"
OTHER = "东南西北天地"  # of names given later: nobody of the steady ones bears them
_PAUSE_SECONDS = 0.05
# `is_quiet` looks through all that was ever told.
_QUICKLY_QUIET = (
    "CREATE INDEX faults_told ON events_outbox ((payload->>'person_id')) WHERE name = 'population.fact_told'"
)


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    from furong.registries.population.ledger import local_date

    return local_date(now())


def act_of() -> dict[str, Any]:
    """Who asks and why, at this moment."""
    from furong.foundation.access.values import Actor, Basis

    return {
        "actor": Actor.system("tests"),
        "basis": Basis(purpose="faults", legal_basis="户口登记条例 第十条"),
        "now": now(),
    }


def home() -> Path:
    return Path(os.environ["FURONG_HOME"])


def codes() -> list[str]:
    from furong.registries.population import centres

    return list(centres.codes())


def ask(alias: str, statement: str, *params: object) -> list[tuple[Any, ...]]:
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute(statement, list(params))
        return list(cursor.fetchall())


# --- making -------------------------------------------------------------------------------------------------------------------


def migrate() -> None:
    from furong.entrypoints import loading

    loading.migrate()


def steady_name(number: int) -> str:
    """A name that nobody else of the steady ones bears."""
    size = len(GIVEN)
    return SURNAMES[number // (size * size)] + GIVEN[number // size % size] + GIVEN[number % size]


def settle(people: int) -> None:
    """Divide the register, and register ``people`` in each centre, in households of a couple and of one; each second person is
    steady (`read`).
    """
    from django.db import connections

    from furong.entrypoints import dividing
    from furong.foundation.codes.identity_numbers import make_identity_number
    from furong.registries.population import commands, place

    dividing.divide(codes())
    steady: list[dict[str, str]] = []
    count = 0
    for code in codes():
        with connections[f"centre_{code}"].cursor() as cursor:
            cursor.execute(_QUICKLY_QUIET)
        with place.at(f"centre_{code}"):
            household, couple = UUID(int=0), []
            for step in range(people):
                if step % 3 != 1:
                    household, couple = (
                        commands.open_household(
                            division_code=f"{code}{'02' if step % 2 else '04'}001001",
                            address=f"青石巷 {step} 号",
                            **act_of(),
                        ),
                        [],
                    )
                sex = "1" if step % 3 == 0 else "2"
                born_on = date(1970 + step % 25, 1 + step % 12, 1 + step % 27)
                name = steady_name(count) if step % 2 else SURNAMES[step % 30] + OTHER[step % 6] + OTHER[step % 5]
                number = make_identity_number(
                    f"{code}91", born_on, 2 + step // 300 * 2 % 900 + (1 if sex == "1" else 0)
                )
                person = commands.register_person(
                    name=name,
                    sex=sex,
                    ethnicity="01",
                    born_on=born_on,
                    number=number,
                    household_id=household,
                    marital="10",
                    allow_reserved=True,
                    **act_of(),
                )
                couple.append(person)
                if step % 3 == 1:
                    commands.record_marriage(
                        person_id=couple[0],
                        spouse_person_id=couple[1],
                        married_on=date(2018, 10, 1),
                        evidence="J-1",
                        **act_of(),
                    )
                if step % 2:
                    steady.append({"person": str(person), "number": number, "name": name})
                count += 1
    (home() / "steady.json").write_text(json.dumps(steady))


# --- acting -------------------------------------------------------------------------------------------------------------------


class Worker:
    """One counter: it draws acts and people, asks for them, and keeps a journal."""

    def __init__(self, number: int, of: int, events: int, seed: int) -> None:
        self.number, self.of, self.events = number, of, events
        self.path = home() / f"journal-{number}.jsonl"
        self.dice = random.Random(f"{seed}-{number}-{self.path.stat().st_size if self.path.exists() else 0}")
        self.codes = codes()
        self.steady = {one["person"] for one in json.loads((home() / "steady.json").read_text())}
        self.refused: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.acked = 0
        self.open: dict[str, Any] | None = None
        self._read()
        self.journal = self.path.open("a")

    def _read(self) -> None:
        if not self.path.exists():
            return
        whole = self.path.read_bytes()
        if whole and not whole.endswith(b"\n"):  # killed in the middle of a line
            self.path.write_bytes(whole[: whole.rfind(b"\n") + 1])
        asked: dict[str, dict[str, Any]] = {}
        for line in self.path.read_text().splitlines():
            one = json.loads(line)
            if "do" in one:
                asked[one["effect"]] = one
            else:
                asked.pop(one.get("ack") or one["gave_up"], None)
                self.acked += "ack" in one
        self.open = next(iter(asked.values()), None)

    def write(self, line: dict[str, Any]) -> None:
        self.journal.write(json.dumps(line, default=str) + "\n")
        self.journal.flush()

    def run(self) -> None:
        from furong.foundation.codes.errors import Refusal

        if self.open is not None:
            self.repeat(self.open["do"], self.open["args"], UUID(self.open["effect"]), self.open["at"])
        while self.acked < self.events:
            try:
                self.draw()
            except Refusal as refusal:
                self.refused[refusal.code] += 1
            except Exception as error:
                if not self.is_trouble(error):
                    raise

    def is_trouble(self, error: BaseException) -> bool:
        """Say whether a server went away or two waited for each other; connections are then made anew."""
        import psycopg
        from django.db import Error, connections

        from furong.foundation.codes.errors import Fault

        if not isinstance(error, (Error, psycopg.Error, Fault)):
            return False
        self.troubles[type(error).__name__] += 1
        if isinstance(error, Error) and isinstance(error.__cause__, (psycopg.IntegrityError, psycopg.ProgrammingError)):
            return False  # no broken link says that
        for alias in ("default", "population", *(f"centre_{code}" for code in self.codes)):
            connections[alias].close()
        time.sleep(_PAUSE_SECONDS)
        return True

    # --- asking -----------------------------------------------------------------------------------------------------------------

    def repeat(self, name: str, given: dict[str, Any], effect: UUID | None = None, at: str = "") -> None:
        """Ask for something until there is an answer."""
        from furong.foundation.codes.errors import Refusal
        from furong.foundation.codes.ids import new_id
        from furong.registries.population.moves.errors import ArrivalInDoubt, CentreUnreachable, HouseholdBusy

        if effect is None:
            effect = new_id()
            self.write({"do": name, "args": given, "effect": str(effect), "at": at})
        kind = "step" if name in MOVES else "change"
        while True:
            try:
                self.call(name, given | {"effect_id": effect}, at)
            except (ArrivalInDoubt, CentreUnreachable, HouseholdBusy):
                time.sleep(_PAUSE_SECONDS)
            except Refusal as refusal:
                self.refused[refusal.code] += 1
                self.write({"gave_up": str(effect), "code": refusal.code})
                return
            except Exception as error:
                if not self.is_trouble(error):
                    raise
            else:
                self.acked += 1
                self.write({"ack": str(effect), "kind": kind})
                return

    def call(self, name: str, given: dict[str, Any], at: str) -> Any:
        from contextlib import nullcontext

        from furong.registries.population import commands, place
        from furong.registries.population.moves import commands as moves

        function = getattr(moves if name in MOVES else commands, name)
        # A centre's own counter asks there, the province's where the directory says; moves ask what they need of the other.
        with place.at(at) if at else nullcontext():
            return function(**_typed(given), **act_of())

    # --- drawing ----------------------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        alias = f"centre_{self.dice.choice(self.codes)}"
        at = alias if self.dice.random() < 0.5 else ""
        name = self.dice.choices([one for one, _ in ACTS], [weight for _, weight in ACTS])[0]
        getattr(self, name)(alias, at)

    def someone(self, alias: str, extra: str = "", *params: object, mine: bool = False) -> tuple[Any, ...] | None:
        """Somebody registered at a centre: key, household, birth, sex, division; of this worker's share with ``mine``."""
        share = f"AND abs(hashtext(person_id::text)::bigint) %% {self.of} = {self.number}" if mine else ""
        found = ask(
            alias,
            "SELECT person_id, household_id, born_on, sex, division_code FROM population_person "
            f"WHERE status = 'registered' {share} {extra} ORDER BY random() LIMIT 1",
            *params,
        )
        return found[0] if found else None

    def members(self, alias: str, household: UUID) -> dict[UUID, str]:
        return dict(
            ask(
                alias,
                "SELECT person_id, relation FROM population_household_member "
                "WHERE household_id = %s AND superseded_at IS NULL AND valid_until IS NULL",
                household,
            )
        )

    def successor(self, alias: str, person: tuple[Any, ...]) -> str | None:
        members = self.members(alias, person[1])
        others = [one for one in members if one != person[0]]
        return str(self.dice.choice(others)) if members.get(person[0]) == "02" and others else None

    def is_quiet(self, *people: UUID) -> bool:
        """Say whether nothing is on its way between centres about these people."""
        for code in self.codes:
            for person in people:
                if ask(
                    f"centre_{code}",
                    "SELECT 1 FROM events_outbox o WHERE name = 'population.fact_told' AND payload->>'person_id' = %s "
                    "AND (dispatched_at IS NULL OR EXISTS (SELECT 1 FROM events_failed f WHERE f.event_id = o.id)) LIMIT 1",
                    str(person),
                ):
                    return False
        return True

    def spouse(self, alias: str, person: UUID) -> UUID | None:
        found = ask(
            alias,
            "SELECT other_person_id FROM population_relation WHERE person_id = %s AND kind = 'spouse' "
            "AND superseded_at IS NULL AND valid_until IS NULL",
            person,
        )
        return found[0][0] if found else None

    def home_of(self, person: UUID) -> str:
        """The centre that keeps a person, asked of the centres themselves."""
        for code in self.codes:
            if ask(
                f"centre_{code}", "SELECT 1 FROM population_person WHERE person_id = %s AND status <> 'moved'", person
            ):
                return f"centre_{code}"
        return ""

    def amend(self, alias: str, at: str) -> None:
        if (person := self.someone(alias)) is None:
            return
        facts = {
            "native_division_code": f"43{self.dice.randrange(1, 15):02d}00",
            "ethnicity": self.dice.choice(("01", "15")),
        }
        if str(person[0]) not in self.steady:
            facts["name"] = self.dice.choice(SURNAMES) + self.dice.choice(OTHER) + self.dice.choice(OTHER)
        on = today() - timedelta(days=self.dice.randrange(0, 400))
        self.repeat("amend_person", {"person_id": person[0], "facts": facts, "effective_on": on}, at=at)

    def correct(self, alias: str, at: str) -> None:
        if (person := self.someone(alias)) is None:
            return
        facts = {"born_place": f"医院 {self.dice.randrange(1000)}"}
        self.repeat("correct_person", {"person_id": person[0], "facts": facts, "evidence": "C-1"}, at=at)

    def birth(self, alias: str, at: str) -> None:
        mother = self.someone(alias, "AND sex = '2' AND born_on BETWEEN '1970-01-01' AND '2000-01-01'")
        if mother is None:
            return
        father = self.spouse(alias, mother[0])
        child = {
            "name": self.dice.choice(SURNAMES) + self.dice.choice(OTHER) + self.dice.choice(OTHER),
            "sex": self.dice.choice("12"),
            "born_at": now() - timedelta(days=self.dice.randrange(1, 300), minutes=self.dice.randrange(1440)),
            "ethnicity": ask(alias, "SELECT ethnicity FROM population_person WHERE person_id = %s", mother[0])[0][0],
            "born_division_code": f"{alias[-4:]}02",
        }
        given = {
            "child": child,
            "birth_record_number": f"R43{self.number:03d}{self.dice.randrange(10**12):012d}",
            "mother_person_id": mother[0],
            "father_person_id": father,
            "household_id": mother[1],
            "consent_reference": "E-1",
        }
        self.repeat("register_birth", given, at=at)

    def death(self, alias: str, at: str) -> None:
        person = self.someone(alias, mine=True)
        if person is None or str(person[0]) in self.steady:
            return
        spouse = self.spouse(alias, person[0])
        if not self.is_quiet(person[0], *([spouse] if spouse else [])):
            return
        self.repeat("record_death", {"person_id": person[0], "died_on": today(), "evidence": "D-1"}, at=at)

    def marriage(self, alias: str, at: str) -> None:
        other = f"centre_{self.dice.choice(self.codes)}"
        alone = "AND sex = %s AND born_on < '2000-01-01' AND marital NOT IN ('20', '21', '22', '23')"
        one, two = self.someone(alias, alone, "1", mine=True), self.someone(other, alone, "2", mine=True)
        if one is None or two is None or not self.is_quiet(one[0], two[0]):
            return
        if self.spouse(alias, one[0]) or self.spouse(other, two[0]):
            return
        given = {"person_id": one[0], "spouse_person_id": two[0], "married_on": today(), "evidence": "J-1"}
        self.repeat("record_marriage", given, at=at)

    def divorce(self, alias: str, at: str) -> None:
        one = self.someone(alias, "AND marital IN ('21', '22')", mine=True)
        if one is None or (spouse := self.spouse(alias, one[0])) is None or not self.is_quiet(one[0], spouse):
            return
        given = {"person_id": one[0], "spouse_person_id": spouse, "divorced_on": today(), "evidence": "L-1"}
        self.repeat("record_divorce", given, at=at)

    def adoption(self, alias: str, at: str) -> None:
        child = self.someone(alias, "AND born_on > '2015-01-01'", mine=True)
        mother = self.someone(alias, "AND sex = '2' AND born_on < '1990-01-01' AND marital = '10'", mine=True)
        if child is None or mother is None or not self.is_quiet(child[0], mother[0]):
            return
        parents = [
            one
            for (one,) in ask(
                alias,
                "SELECT other_person_id FROM population_relation WHERE person_id = %s AND superseded_at IS NULL",
                child[0],
            )
        ]
        if not self.is_quiet(*parents):
            return
        given = {
            "child_person_id": child[0],
            "mother_person_id": mother[0],
            "household_id": mother[1],
            "adopted_on": today(),
            "evidence": "A-1",
        }
        self.repeat("record_adoption", given, at=at)

    def split(self, alias: str, at: str) -> None:
        if (person := self.someone(alias)) is None:
            return
        given = {
            "household_id": person[1],
            "member_ids": [person[0]],
            "head_person_id": person[0],
            "next_head_person_id": self.successor(alias, person),
            "split_on": today(),
            "evidence": "F-1",
        }
        self.repeat("split_household", given, at=at)

    def merge(self, alias: str, at: str) -> None:
        one = self.someone(alias)
        two = self.someone(alias, "AND division_code = %s AND household_id <> %s", one[4], one[1]) if one else None
        if one is None or two is None or len(self.members(alias, one[1])) > 3:
            return
        given = {"household_id": one[1], "into_household_id": two[1], "merged_on": today(), "evidence": "B-1"}
        self.repeat("merge_households", given, at=at)

    def head(self, alias: str, at: str) -> None:
        if (person := self.someone(alias)) is None:
            return
        given = {"household_id": person[1], "head_person_id": person[0], "changed_on": today(), "evidence": "H-1"}
        self.repeat("change_head", given, at=at)

    def within(self, alias: str, at: str) -> None:
        one = self.someone(alias)
        two = self.someone(alias, "AND household_id <> %s", one[1]) if one else None
        if one is None or two is None:
            return
        given = {
            "person_id": one[0],
            "household_id": two[1],
            "moved_on": today(),
            "reason": "work",
            "new_head_person_id": self.successor(alias, one),
        }
        self.repeat("move_person", given, at=at)

    def request(self, alias: str, at: str) -> None:
        person = self.someone(alias)
        if person is None:
            return
        grown = person[2] < date(2006, 1, 1)
        parents = [
            one
            for (one,) in ask(
                alias,
                "SELECT other_person_id FROM population_relation WHERE person_id = %s AND kind IN ('mother', 'father') "
                "AND superseded_at IS NULL AND valid_until IS NULL",
                person[0],
            )
        ]
        if not grown and not parents:
            return
        code = self.dice.choice(
            [one for one in self.codes if f"centre_{one}" != alias] if self.dice.random() < 0.9 else self.codes
        )
        given: dict[str, Any] = {
            "person_id": person[0],
            "division_code": f"{code}{'02' if self.dice.random() < 0.5 else '04'}001001",
            "address": f"桃花岭 {self.dice.randrange(1000)} 号",
            "reason": "work",
            "applicant_person_id": person[0] if grown else parents[0],
            "consent": "T-1",
            "guardian_evidence": "" if grown else "G-1",
        }
        there = self.someone(f"centre_{code}") if self.dice.random() < 0.5 else None
        if there is not None:
            given |= {"household_id": there[1], "division_code": there[4], "address": ""}
        self.repeat("request_move", given, at=at)

    def step(self, alias: str, at: str) -> None:
        """Take an open move one step further, or end it."""
        found = ask(
            alias,
            "SELECT id, state, person_id FROM population_move WHERE state IN ('applied', 'approved', 'issued', 'out') "
            "ORDER BY random() LIMIT 1",
        )
        if not found:
            self.request(alias, at)
            return
        key, state, person = found[0]
        given: dict[str, Any] = {"move_id": key}
        if self.dice.random() < 0.04:
            self.repeat("void_move", given | {"words": "withdrawn"}, at=at)
        elif state == "out":
            self.repeat("record_arrival", given | {"arrived_on": today()}, at=at)
        elif state == "issued":
            row = self.someone(alias, "AND person_id = %s", person)
            head = self.successor(alias, row) if row else None
            self.repeat("record_departure", given | {"new_head_person_id": head}, at=at)
        else:
            self.repeat("approve_move" if state == "applied" else "issue_move_permit", given, at=at)

    def leave(self, alias: str, at: str) -> None:
        person = self.someone(alias, "AND born_on < '2005-01-01'", mine=True)
        if person is None or str(person[0]) in self.steady:
            return
        given = {
            "person_id": person[0],
            "kind": "emigration",
            "left_on": today(),
            "evidence": "V-1",
            "new_head_person_id": self.successor(alias, person),
        }
        self.repeat("deregister_person", given, at=at)

    def come_back(self, alias: str, at: str) -> None:
        gone = ask(
            alias, "SELECT person_id FROM population_person WHERE status = 'deregistered' ORDER BY random() LIMIT 1"
        )
        host = self.someone(alias)
        if not gone or host is None:
            return
        given = {"person_id": gone[0][0], "household_id": host[1], "returned_on": today(), "evidence": "W-1"}
        self.repeat("restore_person", given, at=at)

    def missing(self, alias: str, at: str) -> None:
        person = self.someone(alias, "AND missing_since IS NULL")
        if person is not None:
            given = {"person_id": person[0], "missing_since": today(), "evidence": "M-1"}
            self.repeat("record_missing", given, at=at)

    def found(self, alias: str, at: str) -> None:
        person = self.someone(alias, "AND missing_since IS NOT NULL")
        if person is not None:
            self.repeat("record_found", {"person_id": person[0], "found_on": today(), "evidence": "M-2"}, at=at)

    def stay(self, alias: str, at: str) -> None:
        person = self.someone(alias)
        if person is not None:
            given = {"division_code": f"{alias[-4:]}02001001", "address": "客栈", "since": today()}
            self.repeat("record_temporary_stay", given | {"person_id": person[0]}, at=at)


MOVES = frozenset(
    {"request_move", "approve_move", "issue_move_permit", "record_departure", "record_arrival", "void_move"}
)
ACTS = (
    ("amend", 12), ("correct", 5), ("birth", 8), ("death", 4), ("marriage", 5), ("divorce", 3), ("adoption", 3),
    ("split", 4), ("merge", 4), ("head", 4), ("within", 6), ("request", 9), ("step", 32), ("leave", 2), ("come_back", 2),
    ("missing", 2), ("found", 2), ("stay", 3),
)  # fmt: skip


def _typed(given: dict[str, Any]) -> dict[str, Any]:
    """Give arguments as commands want them, whether they come from a journal or not."""
    from furong.registries.population.values import NewChild

    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "child":
            born_at = value["born_at"]
            born_at = born_at if isinstance(born_at, datetime) else datetime.fromisoformat(born_at)
            found[name] = NewChild(**{**value, "born_at": born_at})
        elif isinstance(value, str) and name.endswith("_id"):
            found[name] = UUID(value)
        elif name == "member_ids":
            found[name] = [one if isinstance(one, UUID) else UUID(one) for one in value]
        elif isinstance(value, str) and (name.endswith("_on") or name in {"since", "missing_since"}):
            found[name] = date.fromisoformat(value)
        else:
            found[name] = value
    return found


def act(number: int, threads: int, events: int, seed: int, of: int) -> None:
    """Run some counters in one process, each on a thread, until each has had ``events`` acknowledged."""
    workers = [Worker(number * threads + one, of, events, seed) for one in range(threads)]

    def run(worker: Worker) -> None:
        from django.db import connections

        try:
            worker.run()
        except BaseException:  # noqa: BLE001 - whatever it is, the process ends
            traceback.print_exc()
            os._exit(3)  # with all threads: the test reads why
        finally:
            connections.close_all()

    running = [threading.Thread(target=run, args=(one,)) for one in workers]
    for one in running:
        one.start()
    for one in running:
        one.join()
    told = Counter[str](), Counter[str]()
    for worker in workers:
        told[0].update(worker.refused)
        told[1].update(worker.troubles)
    print(json.dumps({"refused": told[0], "troubles": told[1]}))  # noqa: T201 - the figures of the run


# --- keeping and reading ------------------------------------------------------------------------------------------------------


def keep() -> None:
    """Do what the platform's worker does for the centres, until killed: tell, resolve, expire, clear, watch."""
    import psycopg
    from django.db import Error, connections

    from furong.foundation.events import dispatcher
    from furong.registries.population import centres
    from furong.registries.population.centres import watching
    from furong.registries.population.moves import tasks

    stop = threading.Event()
    threading.Thread(target=dispatcher.run_many, args=(centres.aliases(), stop), daemon=True).start()
    first = True
    while True:
        try:
            tasks.keep(now=now(), at_start=first)
            watching.keep(now=now())
            first = False
        except (Error, psycopg.Error):
            connections.close_all()
        time.sleep(0.3)


def drain() -> None:
    """Bring everything that is under way to its end; print what there is of it that never ends."""
    from furong.foundation.events import dispatcher
    from furong.registries.population import centres
    from furong.registries.population.centres import watching
    from furong.registries.population.moves import tasks

    until = time.monotonic() + 120
    while time.monotonic() < until:
        left = tasks.keep(now=now(), at_start=True)
        for alias in centres.aliases():
            ask(alias, "UPDATE events_failed SET next_at = now() WHERE dead_at IS NULL RETURNING 1")
            while dispatcher.dispatch_once(alias):
                left += 1
            left += ask(alias, "SELECT count(*) FROM events_failed WHERE dead_at IS NULL")[0][0]
            left += ask(alias, "SELECT count(*) FROM population_person WHERE status = 'moved'")[0][0]
            left += ask(alias, "SELECT count(*) FROM pg_prepared_xacts WHERE gid LIKE %s", "furong-move-%")[0][0]
        if not left:
            break
        time.sleep(0.2)
    # The province compares both sides of facts about two people, and the centres tell again where they differ.
    for minutes in (5, 30, 120, 600):
        time.sleep(0.5)  # what was written reaches the province
        watching.keep(now=now() + timedelta(minutes=minutes))
        if not sum(_dispatched(alias, dispatcher) for alias in centres.aliases()):
            break
    found = [
        (alias, *row)
        for alias in centres.aliases()
        for row in ask(alias, "SELECT handler, last_error, dead_at FROM events_failed")
    ]
    print(json.dumps({"left": left, "failed": found}, default=str))  # noqa: T201 - for the test


def _dispatched(alias: str, dispatcher: Any) -> int:
    """Deliver everything that waits at one database; give how much there was."""
    count = 0
    while dispatcher.dispatch_once(alias):
        count += 1
    return count


def read() -> None:
    """Ask the province for the steady ones, by number and by name, until ended; write down each wrong answer."""
    import signal

    import psycopg
    from django.db import Error, connections

    from furong.registries.population import queries

    people = json.loads((home() / "steady.json").read_text())
    dice, asked, away, ended = random.Random(5), 0, 0, threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with (home() / "wrong.jsonl").open("a") as wrong:
        while not ended.is_set():
            one = dice.choice(people)
            try:
                holder = queries.find_by_number(number=one["number"], **act_of())
                page = queries.search_people(name=one["name"], **act_of())
            except (Error, psycopg.Error):
                away += 1
                connections.close_all()
                time.sleep(_PAUSE_SECONDS)
                continue
            asked += 1
            named = [str(hit.person_id) for hit in page.hits]
            if str(holder) != one["person"] or named != [one["person"]]:
                wrong.write(json.dumps({**one, "holder": str(holder), "named": named, "at": str(now())}) + "\n")
                wrong.flush()
    (home() / "read.json").write_text(json.dumps({"asked": asked, "away": away}))


def main() -> None:
    import django

    django.setup()
    name, *words = sys.argv[1:]
    globals()[name](*map(int, words))


if __name__ == "__main__":
    main()
