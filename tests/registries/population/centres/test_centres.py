from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from psycopg import sql

from furong.entrypoints.cli import main
from furong.foundation.access.errors import AccessRefused
from furong.foundation.audit.queries import list_reads_of_person
from furong.foundation.codes.identity_numbers import make_identity_number
from furong.foundation.codes.ids import new_id
from furong.foundation.events import dispatcher
from furong.foundation.events.connections import connect
from furong.registries.population import centres, commands, place, queries
from furong.registries.population.centres import crossing, directory, pairs, replication, shaping, watching
from furong.registries.population.errors import CentreError, CentreUnknown, NothingToChange, NumberTaken, PersonNotFound
from furong.registries.population.moves import tasks as moves
from tests.registries.population.centres.conftest import Province
from tests.registries.population.moves.movers import LILING, arrive, request, until_departure
from tests.registries.population.people import NOW, SYSTEM, WHY, child, household, person, resident

CHANGSHA, ZHUZHOU = "430102001001", "430202001001"


def wait_for(found: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not found():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def facts(person_id: object, *fields: str) -> dict[str, object]:
    record = queries.get_person(person_id=person_id, fields=fields, actor=SYSTEM, basis=WHY, now=NOW)  # type: ignore[arg-type]
    return dict(record.values)


def count(alias: str, table: str = "population_person") -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def tell_each_other() -> None:
    """What the platform's worker does all the time."""
    for alias in centres.aliases():
        while dispatcher.dispatch_once(alias):
            pass


@contextmanager
def cut(code: str) -> Iterator[None]:
    """Cut the link of a centre to the province."""
    name = sql.Identifier(f"furong_{code}")
    with connect("population") as server:
        server.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
    yield
    with connect("population") as server:
        server.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(name))


def test_an_act_happens_at_the_centre_of_its_subject_and_is_read_at_the_province_at_once(province: Province) -> None:
    mother = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=household(division=ZHUZHOU))
    other = person("任远山", sex="1", born_on=date(1990, 1, 2), household=household(division=CHANGSHA), county="430191")
    assert (directory.centre_of_person(mother), directory.centre_of_person(other)) == ("4302", "4301")
    assert facts(mother, "name", "address") == {"name": "曾晓雅", "address": "青石巷 7 号"}
    assert (count("centre_4301"), count("centre_4302"), count("population")) == (1, 1, 2)
    assert (
        queries.find_by_number(number=str(facts(other, "number")["number"]), actor=SYSTEM, basis=WHY, now=NOW) == other
    )
    for number in range(3):
        commands.amend_person(
            person_id=mother,
            facts={"name": f"曾晓{'雅云霞'[number]}", "marital": "10"},
            effective_on=date(2025, 1, 1 + number),
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )
    assert facts(mother, "name")["name"] == "曾晓霞"
    # Who went on from where they had moved to is found further on: the centre before may clear its rows.
    assert directory.is_directed(mother, "4302", 4)
    assert directory.is_directed(mother, "4301", 3)
    assert not directory.is_directed(mother, "4301", 4)
    assert not directory.is_directed(mother, "4302", 5)
    assert len(queries.list_history(person_id=mother, actor=SYSTEM, basis=WHY, now=NOW)) > 3
    # The person sees what was done at the centre beside what was read at the province.
    seen = {(one.database, one.what) for one in list_reads_of_person(person_id=mother)}
    assert {("centre_4302", "population.amend_person"), ("population", "population.get_person")} <= seen
    # The last step of a move within the city is read as soon as it is answered, too.
    arrive(until_departure(request(mother, division_code=LILING, address="渌江书院路 2 号")))
    assert facts(mother, "address", "division_code") == {"address": "渌江书院路 2 号", "division_code": LILING}
    with pytest.raises(CentreUnknown):
        household(division="440101001001")
    with pytest.raises(PersonNotFound):
        commands.record_missing(
            person_id=household(division=ZHUZHOU),
            missing_since=date(2025, 1, 1),
            evidence="R-1",
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )


def test_what_two_people_are_is_kept_on_both_sides_when_two_cities_keep_them(province: Province) -> None:
    crossing.follow()
    home = household(division=ZHUZHOU)
    mother = person("曾晓雅", sex="2", born_on=date(1992, 8, 9), household=home)
    father = person(
        "单石生", sex="1", born_on=date(1990, 5, 4), household=household(division=CHANGSHA), county="430191"
    )
    commands.record_marriage(
        person_id=mother,
        spouse_person_id=father,
        married_on=date(2018, 10, 1),
        evidence="J-1",
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    assert facts(mother, "spouse_id", "marital") == {"spouse_id": father, "marital": "21"}
    tell_each_other()
    wait_for(lambda: facts(father, "marital")["marital"] == "21")
    assert facts(father, "spouse_id")["spouse_id"] == mother
    born = commands.register_birth(
        effect_id=home,
        child=child(),
        birth_record_number="R43029120260001",
        mother_person_id=mother,
        father_person_id=father,
        household_id=home,
        actor=SYSTEM,
        basis=WHY,
        now=NOW,
    )
    tell_each_other()
    wait_for(
        lambda: (
            [
                one.person_id
                for one in queries.list_children(
                    person_id=father, fields=["name"], actor=resident(father), basis=WHY, now=NOW
                )
            ]
            == [born.person_id]
        )
    )
    commands.record_death(person_id=father, died_on=date(2026, 3, 1), evidence="D-1", actor=SYSTEM, basis=WHY, now=NOW)
    tell_each_other()
    wait_for(lambda: facts(mother, "marital", "spouse_id") == {"marital": "30", "spouse_id": None})
    # Told twice, it is recorded once.
    before = count("centre_4302", "population_change")
    with connections["centre_4301"].cursor() as cursor:
        cursor.execute("UPDATE events_outbox SET dispatched_at = NULL")
    with connections["population"].cursor() as cursor:
        cursor.execute("DELETE FROM events_inbox")
    tell_each_other()
    assert count("centre_4302", "population_change") == before
    assert pairs.topics_that_differ(mother, father) == pairs.topics_that_differ(born.person_id, father) == ()


def test_a_number_given_in_two_cities_is_a_conflict_for_a_person_and_the_rest_goes_on(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_WAIT_SECONDS", 0.05)
    number = make_identity_number("430291", date(1980, 1, 1), 3)

    def enter(name: str, home: UUID) -> UUID:
        return commands.register_person(
            name=name,
            sex="1",
            ethnicity="01",
            born_on=date(1980, 1, 1),
            number=number,
            household_id=home,
            allow_reserved=True,
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )

    homes = [household(division=division) for division in (ZHUZHOU, CHANGSHA, CHANGSHA)]
    wait_for(lambda: count("population", "population_household") == 3)
    with cut("4302"):
        first, second = enter("龙一", homes[0]), enter("龙二", homes[1])
        with pytest.raises(NumberTaken):
            enter("龙三", homes[2])
        wait_for(lambda: directory.centre_of_person(second) == "4301")
    wait_for(lambda: directory.centre_of_person(first) == "4302")
    with pytest.raises(NumberTaken):
        enter("龙四", homes[0])
    (conflict,) = watching.list_conflicts(actor=SYSTEM)
    assert (conflict.kind, {conflict.person_id, conflict.other_person_id}) == ("number_twice", {first, second})
    # It is no matter of order, so it stays; who decides corrects one entry and says how.
    watching.keep(now=conflict.found_at + timedelta(minutes=5))
    assert watching.list_conflicts(actor=SYSTEM)
    with pytest.raises(NothingToChange):
        watching.settle_conflict(conflict_id=conflict.id, note=" ", actor=SYSTEM, basis=WHY, now=NOW)
    watching.settle_conflict(conflict_id=conflict.id, note="龙二为重复登记", actor=SYSTEM, basis=WHY, now=NOW)
    assert not watching.list_conflicts(actor=SYSTEM)
    with pytest.raises(AccessRefused):
        watching.list_conflicts(actor=resident(first))


def test_a_centre_that_is_cut_off_works_on_and_the_province_says_how_old_its_answers_are(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = person("欧阳野", sex="2", born_on=date(1970, 3, 3), household=household(division=ZHUZHOU))
    monkeypatch.setattr(directory, "_WAIT_SECONDS", 0.05)
    with cut("4302"):
        commands.amend_person(
            person_id=someone,
            facts={"ethnicity": "15"},
            effective_on=date(2025, 1, 1),
            actor=SYSTEM,
            basis=WHY,
            now=NOW,
        )
        assert facts(someone, "ethnicity")["ethnicity"] == "01"
        with connections["centre_4302"].cursor() as cursor:
            cursor.execute("SELECT ethnicity FROM population_person")
            assert cursor.fetchone() == ("15",)
        states = {one.code: one.state for one in watching.list_centres(actor=SYSTEM, now=NOW)}
        assert states["4302"] in {"failing", "silent"}
    wait_for(lambda: facts(someone, "ethnicity")["ethnicity"] == "15")
    wait_for(lambda: all(one.seen_at for one in watching.list_centres(actor=SYSTEM, now=NOW)))
    statuses = watching.list_centres(actor=SYSTEM, now=NOW)
    assert [(one.code, one.people, one.apply_errors) for one in statuses] == [("4301", 0, 0), ("4302", 1, 0)]
    assert all(one.kept_bytes is not None for one in statuses)
    seen = max(one.seen_at for one in statuses if one.seen_at)
    watching.keep(now=seen)
    watching._stale.forget()
    assert watching.list_stale(now=seen) == {}
    watching._stale.forget()
    assert set(watching.list_stale(now=seen + timedelta(hours=1))) == {"4301", "4302"}


def test_a_centre_that_would_send_what_the_province_does_not_know_is_refused(province: Province) -> None:
    replication.leave("4301")
    with connect("centre_4301") as there:
        there.execute("ALTER TABLE population_person ADD COLUMN nickname text")
    with pytest.raises(CentreError, match=r"population_person\.nickname"):
        replication.join("4301")
    with connect("centre_4301") as there:
        there.execute("ALTER TABLE population_person DROP COLUMN nickname")
    assert replication.join("4301", copy=False) is True
    assert replication.join("4301") is False
    # Shaping again changes nothing.
    shaping.shape_province(province.codes)
    shaping.shape_centre("4301")


def test_somebody_who_moves_between_cities_is_one_person_at_every_moment(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    mover = person("曾伯安", sex="1", born_on=date(1962, 2, 2), household=household(division=ZHUZHOU))
    number = str(facts(mover, "number")["number"])
    move = until_departure(request(mover, address="五一大道 1 号"))
    seen: set[int] = set()
    with cut("4301"):  # the city of departure tells first
        arrive(move)
        wait_for(
            lambda: (
                _says("population", "SELECT status FROM public.population_person WHERE centre = '4302'") == ["moved"]
            )
        )
        seen.add(count("population"))
        assert queries.find_by_number(number=number, actor=SYSTEM, basis=WHY, now=NOW) == mover
        # An act that the directory sends to the city of departure goes on to where they moved; there the number is theirs.
        commands.correct_person(
            person_id=mover, facts={"ethnicity": "15"}, evidence="GZ-1", actor=SYSTEM, basis=WHY, now=NOW
        )
        assert _says("centre_4301", "SELECT ethnicity FROM population_person") == ["15"]
        assert _says("centre_4302", "SELECT ethnicity FROM population_person") == ["01"]
        monkeypatch.setitem(connections["population"].settings_dict, "NAME", province.name("4302"))
        connections["population"].close()
        monkeypatch.setattr(place.routes, "is_counter", True)  # the city of departure's own node finds nobody who left
        assert queries.find_by_number(number=number, actor=SYSTEM, basis=WHY, now=NOW) is None
        asked = {"number": number, "actor": SYSTEM, "basis": WHY, "now": NOW}
        assert queries.get_by_number(fields=["name"], **asked) is None
        assert queries.search_people(**asked).hits == ()
        monkeypatch.undo()
        connections["population"].close()
        moves.keep(now=NOW)
        assert count("centre_4302") == 1, "nothing is cleared before the province finds them in the other city"
    wait_for(lambda: directory.centre_of_person(mover) == "4301")
    seen.add(count("population"))
    assert seen == {1}
    assert facts(mover, "address", "number") == {"address": "五一大道 1 号", "number": number}
    for city, found in (("4301", 1), ("4302", 0)):
        asked = {"name": "曾伯安", "division_prefix": city, "actor": SYSTEM, "basis": WHY, "now": NOW}
        assert len(queries.search_people(**asked).hits) == found
    # Who dies where they moved to gives up the number there, though the city of departure still keeps its rows.
    commands.record_death(
        person_id=mover, died_on=NOW.date(), evidence="SW-1", actor=SYSTEM, basis=WHY, now=NOW + timedelta(hours=1)
    )
    wait_for(lambda: facts(mover, "status") == {"status": "deceased"})
    history = len(queries.list_history(person_id=mover, actor=SYSTEM, basis=WHY, now=NOW))
    assert moves.keep(now=NOW)
    assert (count("centre_4302"), count("centre_4301")) == (0, 1)
    wait_for(lambda: _says("population", "SELECT count(*) FROM public.population_person") == [1])
    assert _says("population", "SELECT count(*) FROM population_number_directory") == [0]
    assert len(queries.list_history(person_id=mover, actor=SYSTEM, basis=WHY, now=NOW)) == history
    # What the city of departure did stays visible to the person, after its rows are gone.
    assert {"centre_4301", "centre_4302"} <= {one.database for one in list_reads_of_person(person_id=mover)}
    watching.keep(now=NOW + timedelta(days=300))
    assert not watching.list_conflicts(actor=SYSTEM)


def test_files_are_taken_in_at_one_centre_and_its_operator_reads_how_far_each_is(
    province: Province, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "people.csv"
    rows = ((2, "H1", "4302", "02"), (4, "H2", "4301", "02"))
    source.write_text(
        "number,name,ethnicity,division_code,address,household,relation\n"
        + "".join(
            f"{make_identity_number('430292', date(1990, 4, 5), n)},向若溪,01,{city}02001001,青石巷 7 号,{home},{relation}\n"
            for n, home, city, relation in rows
        ),
        encoding="utf-8",
    )
    words = [
        "population",
        "import",
        str(source),
        "--invented",
        "--purpose",
        "接收原有户籍登记",
        "--legal-basis",
        "户口登记条例",
    ]
    with pytest.raises(SystemExit, match="name the --centre"):
        main(words)
    assert main([*words, "--centre", "4302"]) == 0
    told = capsys.readouterr().out
    assert "written 1 in 1 new households" in told
    assert "division_elsewhere  户籍地不属于本市中心" in told
    wait_for(lambda: count("population") == 1)
    wait_for(lambda: main(["population", "status"]) == 0)
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.strip().splitlines()[-2:]] == ["4301", "4302"]
    assert main(["population", "divide"]) == 0
    assert "2 centres; 0 joined now" in capsys.readouterr().out
    with cut("4301"):
        assert main(["population", "status"]) == 1
    assert "出错 failing" in capsys.readouterr().out


def test_the_page_of_centres_shows_each_and_has_a_conflict_settled(province_of_platform: Province) -> None:
    with connect("population") as server:
        server.execute(
            "INSERT INTO population_conflict (kind, person_id, other_person_id, centre, other_centre) "
            "VALUES ('facts_crossed', %s, %s, '4301', '4302')",
            [new_id(), new_id()],
        )
    watching.keep(now=datetime.now(UTC) + timedelta(minutes=1))
    watching.keep(now=datetime.now(UTC) + timedelta(minutes=2))
    watcher = client("chief")
    assert watcher.get("/work/notices").content.decode().count("两市登记不一致，待核对") == 1
    address = "/work/population/centres"
    wait_for(lambda: "data-troubled" not in watcher.get(address).content.decode())
    text = watcher.get(address).content.decode()
    assert "株洲市" in text
    assert "两市同时登记" in text
    empty = watcher.post(address, {"conflict": "1", "note": ""})
    assert "请写明处理结果。" in empty.content.decode()
    assert watcher.post(address, {"conflict": "1", "note": "已按证更正"}).status_code == 302
    assert "两市同时登记" not in watcher.get(address).content.decode()
    assert watcher.post(address, {"conflict": "1", "note": "再来一次"}).status_code == 200
    assert client("hospital").get(address).status_code == 403


def client(username: str) -> Client:
    found = Client(SERVER_NAME="127.0.0.1")
    found.force_login(
        get_user_model().objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend"
    )
    return found


def _says(alias: str, query: str) -> list[object]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
