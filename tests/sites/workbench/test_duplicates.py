"""The review desk: a pair side by side, judged, merged and parted, each opening with its purpose."""

from __future__ import annotations

import pytest
from tests.sites.workbench.staff import PURPOSE, entries, links, staff, words

from furong.foundation.audit import queries as audit
from furong.foundation.jobs import worker

pytestmark = pytest.mark.usefixtures("platform")
DESK = "/work/population/duplicates"


def test_a_pair_is_opened_for_a_purpose_merged_and_parted_at_the_desk() -> None:
    officer = staff("inspector")
    made = entries(
        "SELECT a.person_id, b.person_id, a.name FROM population_person a JOIN population_person b ON a.person_id < b.person_id "
        "AND left(a.division_code, 4) = '4302' AND left(b.division_code, 4) = '4302' AND a.status = 'registered' "
        "AND b.status = 'registered' WHERE (SELECT count(*) FROM population_person h WHERE h.household_id = b.household_id) = 1 "
        "AND NOT EXISTS (SELECT 1 FROM population_relation r WHERE r.person_id = b.person_id) ORDER BY 1, 2 LIMIT 1",
        database="population",
    )[0]
    one, other, name = made
    entries(
        "INSERT INTO population_duplicate (id, first_person_id, second_person_id, first_division, second_division, probability, "
        f"likeness, state, found_at) SELECT gen_random_uuid(), '{one}', '{other}', '4302', '4302', 0.98, "
        "'{\"name\": \"sounds_equal\"}', 'open', now() RETURNING id",
        database="population",
    )
    listed = officer.get(DESK)
    assert "98.00%" in words(listed.content)
    assert name not in listed.content.decode(), "the list names nobody"
    address = next(one for one in links(listed.content, DESK + "/"))
    assert officer.post(address, {}).status_code == 422
    opened = officer.post(address, PURPOSE)
    assert opened.status_code == 302
    pair = opened.headers["Location"]
    page = officer.get(pair)
    assert name in page.content.decode()
    assert "population.list_persons" in {read.what for read in audit.list_reads_of_person(person_id=one)}

    assert officer.post(pair, {"deed": "first"}).status_code == 422, "without its reason nothing is decided"
    merged = officer.post(pair, {"deed": "first", "reason": "调查卷宗 1 号"}, follow=True)
    assert "已合并" in words(merged.content)
    parted = officer.post(pair, {"reason": "并非一人"}, follow=True)
    assert "已撤销合并" in words(parted.content)
    assert staff("chief").get(DESK).status_code == 403

    assert officer.post(DESK).status_code == 302
    worker.run_until_idle()
    assert "比对" in words(officer.get(DESK).content)
