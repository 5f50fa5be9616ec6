"""Identity cards from the counter to the resident's space, in the pages that police and resident open."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.sites.workbench.staff import links, mother, staff, tree, words

from furong.foundation.audit import queries as audit
from furong.foundation.events import dispatcher
from furong.foundation.jobs import worker
from furong.registries.portraits.drawing import draw_portrait

pytestmark = pytest.mark.usefixtures("platform")
HOME = "/work/cards"


def picture(data: bytes, name: str = "p.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/jpeg")


def hidden(content: bytes, act: str) -> dict[str, str]:
    """The hidden fields of the form that takes an act."""
    for form in tree(content).xpath("//main//form"):
        fields = {
            one.get("name"): one.get("value") for one in form.xpath(".//input[@type='hidden'] | .//button[@name]")
        }
        if fields.get("act") == act:
            return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken" and value}
    raise AssertionError(f"no form for {act}")


def pictures(content: bytes) -> list[str]:
    return [str(one.get("src")) for one in tree(content).xpath("//main//img")]


def test_a_card_is_applied_for_made_compared_collected_and_reported_lost_through_the_pages() -> None:
    person = mother()
    clerk, chief, herself = staff("police"), staff("chief"), staff("mother")
    assert "没有在办证件" in words(clerk.get(HOME).content)
    assert clerk.post(HOME, {"name": "无此人", "number": person.text("number")}).status_code == 422
    found = clerk.post(HOME, {"name": person.text("name"), "number": person.text("number")})
    assert found.status_code == 302
    card = found["Location"]
    assert person.text("number") not in card
    shown = clerk.get(card).content
    assert "无人像" in words(shown)

    # Without a portrait no card; what is no portrait is refused with its reason.
    refused = clerk.post(card, hidden(shown, "apply") | {"reason": "first"})
    assert refused.status_code == 422
    assert "人像" in words(refused.content)
    for data, told in ((b"%PDF-1.7 x", "PDF"), (draw_portrait(1)[:-5000], "损坏")):
        answer = clerk.post(card, hidden(shown, "portrait") | {"picture": picture(data)})
        assert answer.status_code == 422
        assert told in words(answer.content)
    assert clerk.post(card, hidden(shown, "portrait")).status_code == 422
    assert clerk.post(card, hidden(shown, "portrait") | {"picture": picture(draw_portrait(3))}).status_code == 302
    shown = clerk.get(card).content
    assert "人像已启用" in words(shown)
    (address,) = pictures(shown)
    image = clerk.get(address)
    assert image.content == draw_portrait(3)
    assert image["Cache-Control"] == "no-store"
    assert str(person.person_id) not in address
    for stranger in (chief, herself, staff("investigations")):
        assert stranger.get(address).status_code in {403, 410}

    assert clerk.post(card, hidden(shown, "apply") | {"reason": "first"}).status_code == 302
    shown = clerk.get(card).content
    assert clerk.post(card, hidden(shown, "temporary")).status_code == 302
    assert "临时居民身份证" in words(clerk.get(card).content)

    # Behind the counter: order, the factory's file with an unknown row and another name, the difference.
    ordered = chief.post(f"{HOME}/batches")
    batch = ordered["Location"]
    order = chief.get(f"{batch}/order")
    with zipfile.ZipFile(io.BytesIO(order.content)) as file:
        (line,) = csv.DictReader(io.StringIO(file.read("cards.csv").decode("utf-8-sig")))
    assert line["name"] == person.text("name")
    other = person.text("name")[0] + "小燕"
    back = (
        "batch,card,result,chip,remark,name\n"
        f"{line['batch']},{line['card']},ok,C-1,,{other}\n"
        f"{line['batch']},no-such-card,ok,C-2,,\n"
    )
    assert chief.post(batch, {"act": "return", "file": picture(b"card\n1\n", "b.csv")}).status_code == 422
    assert chief.post(batch, {"act": "return", "file": picture(back.encode(), "b.csv")}).status_code == 302
    told = words(chief.get(batch).content)
    assert "已制成" in told
    assert "未知证件" in told
    assert clerk.get(batch).status_code == 403

    differ = chief.get(f"{HOME}/differences").content
    assert other in words(differ)
    (key,) = re.findall(rb'name="mismatch" value="([^"]+)"', differ)
    decision = {"mismatch": key.decode(), f"{key.decode()}-wrong": "register"}
    assert chief.post(f"{HOME}/differences", decision).status_code == 422
    decision[f"{key.decode()}-evidence"] = "出生医学证明 P430000001"
    assert chief.post(f"{HOME}/differences", decision).status_code == 302
    worker.run_until_idle()
    assert mother().text("name") == other
    assert "证件与人口库一致" in words(chief.get(f"{HOME}/differences").content)

    for act in ("deliver", "collect"):
        assert clerk.post(card, hidden(clerk.get(card).content, act)).status_code == 302
    assert "有效" in words(clerk.get(card).content)

    # Her space: the card with its steps, her portrait, who looked; a loss at once.
    mine = herself.get("/my/cards")
    assert "已发放" in words(mine.content)
    assert herself.get(pictures(mine.content)[0]).content == draw_portrait(3)
    reads = words(herself.get("/my/reads").content)
    assert "人像" in reads
    assert "居民身份证办理" in reads
    assert any(one.what == "portraits.open_portrait" for one in audit.list_reads_of_person(person_id=person.person_id))
    lost = tree(mine.content).xpath("//main//button[@name='card']/@value")
    assert herself.post("/my/cards", {"card": lost[0]}).status_code == 302
    assert herself.post("/my/cards", {"card": lost[0]}).status_code == 422
    assert "已挂失" in words(herself.get("/my/cards").content)
    assert staff("father").post("/my/cards", {"card": lost[0]}).status_code == 422


def test_a_doubtful_portrait_is_looked_at_and_its_card_goes_on() -> None:
    person = mother()
    clerk, chief = staff("police"), staff("chief")
    card = clerk.post(HOME, {"name": person.text("name"), "number": person.text("number")})["Location"]
    shown = clerk.get(card).content
    small = {"picture": picture(draw_portrait(4, head=0.45))}
    assert clerk.post(card, hidden(shown, "portrait") | small).status_code == 302
    assert "头部过小" in words(clerk.get(card).content)
    assert clerk.post(card, hidden(shown, "apply") | {"reason": "first"}).status_code == 302
    page = f"{HOME}/portraits"
    assert clerk.get(page).status_code == 403
    shown = chief.get(page).content
    assert chief.get(pictures(shown)[0]).status_code == 200
    (key,) = re.findall(rb'name="portrait" value="([^"]+)"', shown)
    name = key.decode()
    assert chief.post(page, {"portrait": name, f"{name}-verdict": "refuse"}).status_code == 422
    assert chief.post(page, {"portrait": name, f"{name}-verdict": "accept"}).status_code == 302
    while dispatcher.dispatch_once("default"):
        pass
    assert "待制证" in words(clerk.get(card).content)
    assert "没有待复核人像" in words(chief.get(page).content)
    assert links(clerk.get(HOME).content, f"{HOME}/people/")
