"""Legal entities in the workbench: nothing without a purpose, nothing beyond the post, nothing in an address."""

from __future__ import annotations

import pytest
from tests.sites.workbench.staff import PURPOSE, links, refusals, staff, tree, words

from furong.foundation.audit import queries as audit
from furong.foundation.codes.credit_codes import make_credit_code
from furong.registries.population import demo

pytestmark = pytest.mark.usefixtures("platform")
SEARCH = "/work/entities"
FIRM = make_credit_code("9", "1", "430290", 1)


def test_a_registrar_looks_a_company_up_for_a_purpose_and_who_stands_in_it_sees_why() -> None:
    registrar = staff("registrar")
    asked = tree(registrar.get(SEARCH).content)
    assert {"purpose", "legal_basis", "text", "kind", "state"} <= set(asked.xpath("//main//form//@name"))
    refused = registrar.post(SEARCH, {"text": "荷塘月色", "legal_basis": PURPOSE["legal_basis"]})
    assert refused.status_code == 422
    assert links(refused.content, SEARCH + "/") == []
    assert refusals("legal_entities.search_entities") == ["access.purpose_missing"]
    assert registrar.post(SEARCH, {**PURPOSE, "text": "荷"}).status_code == 422
    found = registrar.post(SEARCH, {**PURPOSE, "text": "荷塘月色"})
    assert "罗红霞" not in words(found.content)
    (link, *_) = links(found.content, SEARCH + "/")
    assert FIRM not in link
    shown = words(registrar.get(link).content)
    for told in ("罗红霞", "曾晓雅", "700,000 元", "300,000 元", "监事", "设立登记", "变更登记", "红旗路88号"):
        assert told in shown, told
    for key in ("elders_daughter", "unmarried_mother"):
        read = next(
            one
            for one in audit.list_reads_of_person(person_id=demo.person_id(key))
            if one.what == "legal_entities.get_entity"
        )
        assert "市场监督管理局" in read.organization_label
        assert read.legal_basis == PURPOSE["legal_basis"]
    assert "没有符合的主体" in words(
        registrar.post(SEARCH, {**PURPOSE, "text": "荷塘月色", "kind": "cooperative"}).content
    )
    assert staff("licensing").get(link).status_code == 410, "the address is good for one post of one account"


def test_other_departments_read_what_is_shared_and_who_has_no_right_nothing() -> None:
    tax = staff("tax")
    (link, *_) = links(tax.post(SEARCH, {**PURPOSE, "text": FIRM}).content, SEARCH + "/")
    assert "罗红霞" in words(tax.get(link).content)
    assert staff("police").get(SEARCH).status_code == 403
    assert staff("chief").get(SEARCH).status_code == 403
