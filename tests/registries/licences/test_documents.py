"""Sealed letters, their fonts, and what happens to characters that no font shows."""

from __future__ import annotations

import io
import logging

import pytest
from pypdf import PdfReader

from furong.foundation.access.values import Actor
from furong.registries.licences import documents, fonts, queries, typesetting
from furong.registries.licences.errors import GlyphMissingError, TypesettingError
from furong.registries.licences.sealing import check_seal, find_token
from furong.registries.licences.values import Finding
from tests.registries.licences.conftest import NOW, PACK

ISSUER = {"zh": "芙蓉县公安局", "en": "Furong County Public Security Bureau"}
TITLE = {"zh": "受理通知书", "en": "Notice of Acceptance"}


def render(template="acceptance", **changes):
    arguments = {
        "template": template,
        "data": {
            "item_name": "出生登记（户口登记）",
            "case_number": "4302022026000001",
            "applied_on": "2026-03-09",
            "accepted_on": "2026-03-10",
            "materials": ["出生医学证明", "居民户口簿"],
            "missing": ["父母一方的结婚证"],
            "reason": "提交的材料不齐全。",
            "legal_basis": "《中华人民共和国户口登记条例》第七条",
            "due_on": "2026-03-17",
            "promised_days": "3",
            "statutory_days": "20",
            "decision": "准予登记。",
            "contact": "窗口 12",
            "remedies": ["向芙蓉县人民政府申请行政复议；", "向芙蓉县人民法院提起行政诉讼。"],
        },
        "title": TITLE,
        "number": "芙公户受〔2026〕12号",
        "issuer": ISSUER,
        "addressee": "曾晓雅",
        "now": NOW,
    }
    return documents.render_sealed_pdf(**(arguments | changes))


TEMPLATES = sorted(path.parent.name for path in (PACK / "documents").glob("*/template.typ"))


@pytest.mark.usefixtures("licence_types")
@pytest.mark.parametrize("template", TEMPLATES)
def test_each_letter_of_the_pack_is_one_sealed_page_with_number_and_addressee(template):
    pdf = render(template)

    pages = PdfReader(io.BytesIO(pdf)).pages
    text = "".join(pages[0].extract_text().split())
    assert len(pages) == 1
    assert "芙公户受〔2026〕12号" in text
    assert "曾晓雅" in text
    assert "2026年3月10日" in text
    assert check_seal(pdf).intact


@pytest.mark.usefixtures("licence_types")
def test_a_document_is_checked_by_its_file_and_by_its_code_alike_and_its_alteration_is_seen():
    pdf = render()

    by_file = queries.verify_pdf(data=pdf, actor=Actor.anonymous(), now=NOW)
    by_code = queries.verify(token=find_token(pdf), actor=Actor.anonymous(), now=NOW)
    assert by_file == by_code
    assert (by_file.finding, by_file.number, by_file.type_name) == (Finding.VALID, "芙公户受〔2026〕12号", TITLE)
    broken = pdf.replace(b"%%EOF", b"%%EOG", 1)
    assert not check_seal(broken).intact
    assert queries.verify_pdf(data=broken, actor=Actor.anonymous(), now=NOW).finding is Finding.ALTERED
    nameless = pdf.replace(b"/ContactInfo", b"/ContactInfp")
    assert queries.verify_pdf(data=nameless, actor=Actor.anonymous(), now=NOW).finding is Finding.ALTERED


@pytest.mark.usefixtures("licence_types")
def test_a_template_the_pack_lacks_becomes_a_plain_letter():
    text = (
        PdfReader(
            io.BytesIO(render("no_such_letter", data={"paragraphs": ["一段话。"], "facts": [["事项", "出生登记"]]}))
        )
        .pages[0]
        .extract_text()
    )

    assert "一段话" in text
    assert "出生登记" in text


def test_own_fonts_show_the_rare_characters_of_names_and_places():
    assert fonts.missing(["㮾梨街道", "𬱖䶮垚犇", "单曾任 ABC 123，。〔〕"]) == ()


def test_a_character_that_no_font_shows_is_a_fault_that_names_its_code_point(caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(GlyphMissingError) as fault:
        typesetting.typeset(
            template=b'#import "furong.typ": *\n#set document(title: "x")\n#doc.name',
            data={"name": "\U0003fffd"},
            now=NOW,
        )

    assert fault.value.characters == ("U+3FFFD",)
    assert "licences.glyph_missing" in caplog.text
    assert "\U0003fffd" not in caplog.text


def test_a_character_that_only_the_system_has_is_taken_from_there_and_logged(monkeypatch, caplog):
    monkeypatch.setattr(fonts, "own_coverage", lambda: (range(0x20, 0x4E00),))
    monkeypatch.setattr(fonts, "system_coverage", lambda: (range(0x4E00, 0x9FFF),))

    with caplog.at_level(logging.WARNING):
        pdf = typesetting.typeset(
            template=b'#import "furong.typ": *\n#set document(title: "x")\n#set text(font: serif)\n#doc.name',
            data={"name": "单"},
            now=NOW,
        )

    assert pdf[:5] == b"%PDF-"
    assert "licences.glyph_from_system" in caplog.text


def test_the_cmap_reader_agrees_with_the_typesetter_about_a_glyph():
    import typst

    # PDF/A asks the typesetter itself to refuse a character without a glyph; the reader of cmap must have said so before.
    for character, shown in (("龥", True), ("\U0001f980", False), ("ก", False)):
        source = f'#set document(title: "x")\n#set text(font: "Noto Serif SC", fallback: false)\n{character}'.encode()
        refused = False
        try:
            typesetting._compiler(False).compile(input=source, format="pdf", pdf_standards=["a-2a"])
        except typst.TypstError:
            refused = True
        assert (fonts.missing([character]) == ()) is shown
        assert refused is not shown


def test_a_template_that_does_not_compile_is_a_fault_without_the_data():
    with pytest.raises(TypesettingError) as fault:
        typesetting.typeset(template=b"#panic(sys.inputs.data)", data={"name": "曾晓雅"}, now=NOW)

    assert "曾晓雅" not in str(fault.value)


def test_data_never_becomes_source():
    made = typesetting.typeset(
        template=b'#import "furong.typ": *\n#set document(title: "x")\n#set text(font: serif)\n#doc.name',
        data={"name": "#panic() *b* $x$ \\"},
        now=NOW,
    )

    assert "#panic() *b* $x$ \\" in PdfReader(io.BytesIO(made)).pages[0].extract_text()
