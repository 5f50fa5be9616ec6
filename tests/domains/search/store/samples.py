"""Files as sites have them, made here: pages in several character sets, office files, PDFs, and what is broken or hostile."""

from __future__ import annotations

import io
import zipfile

BODY = (
    "符合条件的家庭可以向户籍所在地街道办事处提出公共租赁住房保障申请，"
    "街道办事处应当自受理之日起十五个工作日内完成初审并公示。"
)

PAGE = f"""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="CHARSET">
<title>公租房申请指南_长沙市住房和城乡建设局</title>
<meta name="ArticleTitle" content="公租房申请指南">
<meta name="PubDate" content="2024-05-06 10:20">
<meta name="ContentSource" content="长沙市住房和城乡建设局">
<meta name="ColumnName" content="办事指南">
<meta name="Keywords" content="公租房,住房保障">
<link rel="canonical" href="https://www.changsha.example/zf/gzf.html">
<script>document.write('脚本写出来的字')</script><style>p {{ color: red }}</style></head>
<body><div class="header"><a href="/">首页</a> <a href="/gov">政务公开</a> 无障碍</div>
<nav><ul><li><a href="/a">机构职能</a></li><li><a href="/b">通知公告</a></li></ul></nav>
<div id="zoom"><h1>公租房申请指南</h1><p>{BODY}</p><h2>保障标准</h2>
<table><tr><th>家庭人数</th><th>租金</th></tr><tr><td>两人</td><td>每月三百元</td></tr></table>
<p>依据《长沙市公共租赁住房管理办法》（长政发〔2023〕12号）办理。</p>
<p hidden>藏起来的字</p></div>
<div class="footer">版权所有 <a href="/about">关于我们</a></div>
<script src="https://elsewhere.example/x.js"></script></body></html>"""


def page(charset: str = "utf-8", *, declared: str | None = None, text: str = PAGE) -> bytes:
    """A page written in ``charset``, saying that it is in ``declared``."""
    return text.replace("CHARSET", declared or charset).encode(charset)


def word(*, title: str = "家庭农场登记办法", created: str = "2024-03-01") -> bytes:
    """A Word file with a heading and a table."""
    from datetime import datetime

    from docx import Document

    document = Document()
    document.core_properties.title = title
    document.core_properties.created = datetime.fromisoformat(created)
    document.add_heading("第一章 总则", level=1)
    document.add_paragraph("家庭农场应当向县级农业农村部门申请纳入名录管理。")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "经营规模", "五十亩以上"
    return _saved(document)


def sheet() -> bytes:
    """An Excel file with a hidden sheet."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "充电站"
    book.active.append(["名称", "枪数"])
    book.active.append(["岳麓大道充电站", 12])
    secret = book.create_sheet("内部")
    secret.append(["不公开"])
    secret.sheet_state = "hidden"
    return _saved(book)


def slides() -> bytes:
    """A presentation with one slide."""
    from pptx import Presentation

    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "营商环境通报"
    slide.placeholders[1].text = "企业开办时间压缩到一个工作日"
    return _saved(show)


def pdf(*, text: str = "Notice on parking places", password: str = "") -> bytes:
    """A PDF of one page with text that can be taken out again."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    sheet_ = writer.add_blank_page(width=300, height=200)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    sheet_[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode())
    sheet_[NameObject("/Contents")] = writer._add_object(content)
    writer.add_metadata({"/CreationDate": "D:20240102030405+08'00'"})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    return _saved(writer, method="write")


def office_bomb() -> bytes:
    """An office file of some kilobytes that unpacks to 300 MB."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("word/document.xml", b"<w:document/>")
        with archive.open("word/media.bin", "w", force_zip64=True) as part:
            for _ in range(300):
                part.write(bytes(1 << 20))
    return data.getvalue()


def _saved(made: object, *, method: str = "save") -> bytes:
    data = io.BytesIO()
    getattr(made, method)(data)
    return data.getvalue()
