from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.storage import values
from furong.foundation.storage.values import sniff, sniff_archive


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x" * 5000)
    return out.getvalue()


SAMPLES = {
    values.PDF: [b"%PDF-1.7\n", b"\xef\xbb\xbf%PDF-1.4"],
    values.JPEG: [b"\xff\xd8\xff\xe0\x00\x10JFIF"],
    values.PNG: [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    values.GIF: [b"GIF89a\1\0", b"GIF87a\1\0"],
    values.WEBP: [b"RIFF\x24\0\0\0WEBPVP8 "],
    values.HEIC: [
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", b"\0\0\0\x14ftypmif1\0\0\0\0mif1",
    ],
    values.AVIF: [b"\0\0\0\x1cftypavif\0\0\0\0mif1avif"],
    values.TIFF: [b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"],
    values.DOC: [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
    values.TEXT: ["户口登记\n".encode(), "户口登记".encode("gb18030"), b"a,b\n1,2\n"],
    values.UNKNOWN: [b"", b"MZ\x90\0\3\0\0\0", b"\x7fELF\2\1\1", b"\0\0\0\x18ftypisom\0\0\0\0", b"\x1f\x8b\x08\0"],
    values.ZIP: [archive("a.txt"), b"PK\x05\x06" + bytes(18)],
    values.DOCX: [archive("[Content_Types].xml", "word/document.xml")],
    values.XLSX: [archive("[Content_Types].xml", "xl/workbook.xml")],
    values.PPTX: [archive("[Content_Types].xml", "ppt/presentation.xml")],
    values.OFD: [archive("OFD.xml", "Doc_0/Document.xml")],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "data"), [(kind, data) for kind, found in SAMPLES.items() for data in found])
def test_a_file_is_known_by_its_first_bytes(kind: str, data: bytes) -> None:
    assert sniff(data) == kind


@pytest.mark.parametrize("kind", [values.ZIP, values.DOCX, values.XLSX, values.PPTX, values.OFD])
def test_an_archive_is_known_by_its_table_of_contents_wherever_its_names_stand(kind: str) -> None:
    found = SAMPLES[kind][0]
    assert sniff_archive(io.BytesIO(found)) == kind
    with zipfile.ZipFile(io.BytesIO(found)) as file:
        names = [*[f"padding/{n}" for n in range(3)], *file.namelist()]
    assert sniff_archive(io.BytesIO(archive(*names))) == kind


def test_an_archive_whose_table_cannot_be_read_is_unknown() -> None:
    assert sniff_archive(io.BytesIO(archive("a")[:100])) == values.UNKNOWN


def test_a_text_cut_in_the_middle_of_a_character_is_a_text() -> None:
    assert sniff(("a" + "户口" * 3000).encode()[: values.HEAD_BYTES]) == values.TEXT


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    assert sniff(data) in values.KIND_NAMES
    assert values.kind_name(sniff(data))
