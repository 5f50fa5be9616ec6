"""A file compared with the register, from the upload to the answers, in the workbench."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.sites.workbench.staff import PURPOSE, here, links, make_staff, mother, police_station, staff, words

from furong.foundation.audit import queries as audit
from furong.foundation.jobs import worker
from furong.foundation.organizations.values import Reach
from furong.foundation.web import uploads

pytestmark = pytest.mark.usefixtures("platform")
PAGE = "/work/population/matches"


def matcher(username: str) -> Client:
    make_staff(username, police_station().id, here("population.match", Reach.EVERYWHERE))
    return staff(username)


def send(clerk, text: str, name: str = "名单.csv", **more: object):
    file = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    return clerk.post(PAGE, {**PURPOSE, "file": file, "encoding": "utf-8", **more})


def test_a_clerk_sends_a_file_sees_how_far_it_is_and_fetches_the_answers(monkeypatch) -> None:
    person = mother()
    clerk = matcher("matcher")
    assert "与人口库批量比对" in words(clerk.get(PAGE).content)
    sent = send(
        clerk, f"号码,姓名\n{person.text('number')},{person.text('name')}\n430299199001010000,某人\n", number="号码",
        fields_told=["number_masked", "sex"],
    )  # fmt: skip
    assert sent.status_code == 302
    waiting = clerk.get(sent["Location"])
    assert "进行中" in words(waiting.content)
    assert waiting["Refresh"] == "5"

    worker.run_until_idle()

    done = words(clerk.get(sent["Location"]).content)
    assert "一致" in done
    assert "没有找到" in done
    assert person.text("name") not in done
    (fetch,) = [one for one in links(clerk.get(sent["Location"]).content, PAGE) if one.endswith("/answers")]
    answer = clerk.get(fetch)
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "row,answer,结果,number_masked,sex"
    assert lines[1].startswith("2,match,一致,430****")
    assert lines[2] == "3,not_found,未找到,,"
    assert audit.list_reads_of_person(person_id=person.person_id)[0].what == "population.match_people"
    for stranger in (staff("police"), matcher("another")):
        assert stranger.get(fetch).status_code in {403, 404}

    for text, told in (("a,b\n1,2\n", "没有"), ("number\n", "没有")):
        wrong = send(clerk, text)
        assert wrong.status_code == 422
        assert told in words(wrong.content) or "文件" in words(wrong.content)
    assert send(clerk, "number\n1\n", purpose="").status_code == 422
    monkeypatch.setitem(uploads._LARGER, PAGE, 100)
    large = send(clerk, "number\n" + "430299199001010000\n" * 20)
    assert large.status_code == 422
    assert "超过 50 MB" in words(large.content)
