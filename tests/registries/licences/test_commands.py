"""Issuing, revoking and checking licences, on a real PostgreSQL, with real seals."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, connections
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.audit import queries as audit
from furong.foundation.codes.ids import new_id
from furong.foundation.signing import queries as signing
from furong.foundation.storage import queries as storage
from furong.registries.licences import commands, errors, queries
from furong.registries.licences.values import Finding, LicenceState
from tests.registries.licences.conftest import NOW

pytestmark = pytest.mark.usefixtures("licence_types")

SYSTEM = Actor.system("tests")
ANYBODY = Actor.anonymous()
WHY = Basis(purpose="newborn certificates", legal_basis="母婴保健法 第二十三条")
ISSUER = {"zh": "芙蓉县人民医院", "en": "Furong County Hospital"}
CHILD, MOTHER = new_id(), new_id()
DATA = {
    "name": "单㮾梨",
    "sex": "2",
    "born_at": "2026-03-01T11:25:00+08:00",
    "born_place": "芙蓉县㮾梨街道",
    "institution": "芙蓉县人民医院",
    "mother_name": "曾晓雅",
    "mother_number": "430291199208090041",
}


def issue(**changes):
    arguments = {
        "effect_id": new_id(),
        "type_code": "birth_certificate",
        "holder_person_id": CHILD,
        "guardian_person_ids": [MOTHER],
        "data": DATA,
        "issuer_organization_id": None,
        "issuer": ISSUER,
        "actor": SYSTEM,
        "basis": WHY,
        "now": NOW,
    }
    return commands.issue(**(arguments | changes))


def resident(person_id):
    return Actor(kind=ActorKind.RESIDENT, person_id=person_id, account_id=new_id(), assurance=Assurance.VERIFIED)


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    barrier = Barrier(count)

    def one(index: int) -> object:
        try:
            barrier.wait(30)
            return work(index)
        except Exception as exc:  # noqa: BLE001 - the test looks at what each thread met
            return exc
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def pdf_of(issued):
    return storage.get(issued.pdf_digest)


def test_a_licence_is_numbered_sealed_and_in_the_folders_of_child_and_mother():
    issued = issue()

    assert issued.number == "Y430000001"
    for person_id, role in ((CHILD, "holder"), (MOTHER, "guardian")):
        (found,) = queries.list_of_person(person_id=person_id, actor=resident(person_id), basis=WHY, now=NOW)
        assert (found.id, found.role, found.state) == (issued.id, role, LicenceState.VALID)
        assert found.data["name"] == "单㮾梨"
        assert found.type_name["zh"] == "出生医学证明"
    text = PdfReader(io.BytesIO(pdf_of(issued))).pages[0].extract_text()
    assert "单㮾梨" in text
    assert issued.number in text


def test_a_pdf_reader_that_trusts_the_root_finds_the_seal_good_over_the_whole_file():
    reader = PdfFileReader(io.BytesIO(pdf_of(issue())))
    (signature,) = reader.embedded_signatures
    root = x509.Certificate.load(signing.document_signer().root.public_bytes(Encoding.DER))

    status = validate_pdf_signature(signature, ValidationContext(trust_roots=[root], allow_fetching=False))

    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.docmdp_ok
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"


def test_the_pdf_claims_the_archival_and_the_accessible_profile():
    reader = PdfReader(io.BytesIO(pdf_of(issue())))
    xmp = reader.xmp_metadata.stream.get_data().decode() if reader.xmp_metadata else ""

    assert re.search(r"pdfaid:part(=\"|>)2", xmp)
    assert re.search(r"pdfaid:conformance(=\"|>)A", xmp)
    assert re.search(r"pdfuaid:part(=\"|>)1", xmp)
    assert "/StructTreeRoot" in reader.trailer["/Root"]


def test_the_same_effect_at_once_and_again_is_one_licence():
    effect = new_id()

    results = in_threads(6, lambda _: issue(effect_id=effect))

    assert [r for r in results if isinstance(r, BaseException)] == []
    assert set(results) == {issue(effect_id=effect)}
    assert len(queries.list_of_person(person_id=CHILD, actor=SYSTEM, basis=WHY, now=NOW)) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_outbox WHERE name = 'licences.licence_issued'")
        assert cursor.fetchone() == (1,)


def test_an_effect_is_not_carried_out_with_other_content():
    effect = new_id()
    issue(effect_id=effect)

    with pytest.raises(errors.EffectReusedError):
        issue(effect_id=effect, data=DATA | {"name": "单子衿"})


def test_twelve_at_once_get_numbers_without_gap_or_double():
    results = in_threads(12, lambda _: issue())

    assert sorted(r.number for r in results) == [f"Y43{n:07d}" for n in range(1, 13)]


def test_a_refused_issue_leaves_no_gap_in_the_numbers():
    issue()
    with pytest.raises(errors.LicenceDataIncomplete):
        issue(data={"name": "单㮾梨"})
    with pytest.raises(errors.GlyphMissingError):
        issue(data=DATA | {"name": "单\U0003fffd"})

    assert issue().number == "Y430000002"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sex": "7"}, "sex"),
        ({"born_at": "yesterday"}, "born_at"),
        ({"nickname": "x"}, "nickname"),
        ({"name": ""}, "name"),
    ],
)
def test_data_that_the_type_does_not_allow_is_refused_by_field(changes, field):
    with pytest.raises(errors.LicenceDataIncomplete) as refused:
        issue(data=DATA | changes)

    assert refused.value.params["field"] == field


def test_an_unknown_type_is_refused():
    with pytest.raises(errors.LicenceTypeUnknown):
        issue(type_code="pilot_licence")


def test_issuing_needs_a_purpose_and_a_right():
    with pytest.raises(PurposeMissing):
        issue(basis=Basis(purpose=""))
    with pytest.raises(AccessRefused):
        issue(actor=resident(MOTHER))


# --- checking ---------------------------------------------------------------------------------------------------


def by_qr(issued, now=NOW):
    return queries.verify(token=issued.token, actor=ANYBODY, now=now)


def by_file(data, now=NOW):
    return queries.verify_pdf(data=data, actor=ANYBODY, now=now)


def test_qr_code_and_file_give_the_same_verdict_before_and_after_revocation():
    issued = issue()
    pdf = pdf_of(issued)

    assert by_qr(issued) == by_file(pdf)
    assert by_qr(issued).finding is Finding.VALID
    assert by_qr(issued).holder_masked == "单**"
    assert by_qr(issued).issuer == ISSUER

    commands.revoke(licence_id=issued.id, reason="登记信息有误", actor=SYSTEM, basis=WHY, now=NOW)

    assert by_qr(issued) == by_file(pdf)
    assert by_qr(issued).finding is Finding.REVOKED
    assert by_qr(issued).revoked_reason == "登记信息有误"


def test_a_licence_expires_on_its_day_by_both_ways():
    issued = issue(valid_until=date(2026, 4, 1))
    pdf = pdf_of(issued)

    assert by_file(pdf, NOW + timedelta(days=21)).finding is Finding.VALID  # 31 March
    after = NOW + timedelta(days=22)
    assert by_qr(issued, after) == by_file(pdf, after)
    assert by_qr(issued, after).finding is Finding.EXPIRED


@pytest.mark.parametrize("place", [0.1, 0.5, 0.8, 0.9, 0.95, 0.999])
def test_one_altered_byte_anywhere_is_detected(place):
    pdf = bytearray(pdf_of(issue()))
    pdf[int(len(pdf) * place)] ^= 0x01

    assert by_file(bytes(pdf)).finding is Finding.ALTERED
    assert by_file(bytes(pdf)).holder_masked == ""


def test_an_added_revision_is_an_alteration():
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf_of(issue())))
    writer.root["/Lang"] = writer.root["/Lang"]
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)

    assert by_file(out.getvalue()).finding is Finding.ALTERED


def test_what_is_not_ours_is_unknown():
    assert queries.verify(token="a" * 22, actor=ANYBODY, now=NOW).finding is Finding.UNKNOWN
    assert by_file(b"%PDF-1.7\n%%EOF").finding is Finding.UNKNOWN
    with pytest.raises(errors.FileNotReadable):
        by_file(b"\xff\xd8\xff not a PDF")


def test_a_check_is_among_the_reads_the_holder_sees():
    issued = issue()
    by_qr(issued)

    reads = audit.list_reads_of_person(person_id=CHILD, limit=10)

    assert "licences.verify" in {one.what for one in reads}


def test_a_licence_is_revoked_once_with_a_reason():
    issued = issue()
    with pytest.raises(errors.ReasonMissing):
        commands.revoke(licence_id=issued.id, reason=" ", actor=SYSTEM, basis=WHY, now=NOW)
    with pytest.raises(AccessRefused):
        commands.revoke(licence_id=issued.id, reason="x", actor=resident(MOTHER), basis=WHY, now=NOW)
    commands.revoke(licence_id=issued.id, reason="登记信息有误", actor=SYSTEM, basis=WHY, now=NOW)

    with pytest.raises(errors.LicenceAlreadyRevoked):
        commands.revoke(licence_id=issued.id, reason="again", actor=SYSTEM, basis=WHY, now=NOW)


def test_a_new_licence_revokes_the_one_it_replaces():
    first = issue()
    second = issue(replaces=first.id)

    assert by_qr(first).finding is Finding.REVOKED
    assert by_qr(second).finding is Finding.VALID
    found = queries.find_of_person(person_id=CHILD, type_codes=["birth_certificate"], actor=SYSTEM, basis=WHY, now=NOW)
    assert found["birth_certificate"].id == second.id


def test_only_those_in_whose_folder_it_lies_read_a_licence():
    issued = issue()

    assert queries.get_licence(licence_id=issued.id, actor=resident(MOTHER), basis=WHY, now=NOW).role == "guardian"
    assert queries.get_pdf(licence_id=issued.id, actor=resident(MOTHER), basis=WHY, now=NOW)[:5] == b"%PDF-"
    stranger = resident(new_id())
    for asked in (issued.id, new_id()):
        with pytest.raises(AccessRefused):
            queries.get_licence(licence_id=asked, actor=stranger, basis=WHY, now=NOW)
    with pytest.raises(AccessRefused):
        queries.list_of_person(person_id=CHILD, actor=stranger, basis=WHY, now=NOW)
    with pytest.raises(PurposeMissing):
        queries.list_of_person(person_id=MOTHER, actor=resident(MOTHER), basis=Basis(purpose=""), now=NOW)


def test_every_type_of_the_pack_can_be_issued():
    common = {"name": "单子衿", "sex": "2", "number": "430291202603010022"}
    given = {
        "household_page": {
            **common,
            "household_relation": "32",
            "ethnicity": "15",
            "born_on": date(2026, 3, 1),
            "household_number": "43020200000001",
            "address": "青石巷 7 号",
            "registered_on": date(2026, 3, 10),
        },
        "medical_insurance_certificate": {
            **common,
            "insurance_kind": "城乡居民基本医疗保险",
            "insured_from": date(2026, 3, 1),
            "region": "芙蓉县",
        },
        "benefit_decision": {
            "name": "曾晓雅",
            "number": "430291199208090041",
            "born_on": date(2026, 3, 1),
            "benefit_kind": "生育津贴",
            "amount_yuan": "19200.00",
            "decided_on": date(2026, 3, 10),
        },
        "social_security_card": {"name": "单子衿", "number": common["number"]},
        "vaccination_certificate": {
            **common,
            "born_on": date(2026, 3, 1),
            "guardian_name": "曾晓雅",
            "vaccinations": [{"vaccine": "乙肝疫苗", "dose": "1", "on": "2026-03-01", "batch": "2026A"}],
        },
    }

    issued = {code: issue(type_code=code, data=data) for code, data in given.items()}

    for code, one in issued.items():
        pages = PdfReader(io.BytesIO(pdf_of(one))).pages
        assert len(pages) == 1, code
        assert one.number in pages[0].extract_text(), code
    assert issued["social_security_card"].valid_until == date(2036, 3, 10)
    assert issued["household_page"].valid_until is None


def test_a_licence_is_described_in_words_by_the_definition_it_was_issued_by():
    record = queries.get_licence(licence_id=issue().id, actor=resident(MOTHER), basis=WHY, now=NOW)

    shown = {one.code: one for one in queries.describe(record=record)}

    assert shown["sex"].value["en"] == "Female"
    assert shown["born_at"].value["zh"] == "2026年3月1日 11:25"
    assert "father_name" not in shown
    assert queries.field_labels(type_code="birth_certificate")["name"] == {"zh": "新生儿姓名", "en": "Name of newborn"}
    assert queries.field_labels(type_code="no_such_type") == {}
