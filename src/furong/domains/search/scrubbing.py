"""Personal data taken out of questions before they are counted. Better a word too many than one person too much. Pure."""

from __future__ import annotations

import re
import unicodedata

from furong.domains.search.analysis.folding import clean

REMOVED = "[…]"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦"
    "付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤阳欧聂舒易文庞樊殷施洪翟安颜倪牛温芦季俞章鲁葛伍毕"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), REMOVED),  # mail
    (re.compile(r"(?<![0-9A-Za-z])\d{6}[\s-]?\d{8}[\s-]?\d{3}[\dXx](?![0-9A-Za-z])"), REMOVED),  # GB 11643
    (re.compile(r"(?<!\d)\d{15}(?!\d)"), REMOVED),  # its 15-digit forerunner
    (re.compile(r"(?<!\d)(?:\d[ -]?){12,24}\d(?!\d)"), REMOVED),  # bank and social security cards
    (re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"), REMOVED),  # mobile
    (re.compile(r"(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)"), REMOVED),  # fixed line
    (
        re.compile(rf"[{_PROVINCES}]\s?[A-Za-z][\s·.-]?[0-9A-Za-z]{{4,6}}[挂学警港澳使领]?(?![0-9A-Za-z])"),
        REMOVED,
    ),  # GA 36 plates
    (
        re.compile(r"(?<![A-Za-z0-9])(?:[EeGgDdSsPpHhCcMm][A-Za-z]?\d{7,9})(?![A-Za-z0-9])"),
        REMOVED,
    ),  # passports, passes
    (re.compile(r"(?i)(?:wx|qq|微信|微信号|QQ号?)\s*[:：号是]{0,2}\s*[A-Za-z0-9_-]{5,20}"), REMOVED),
    # a name somebody gives: 我叫…, 姓名…, 本人…
    (
        re.compile(
            r"((?:我|他|她|孩子|小孩|儿子|女儿|老公|老婆|父亲|母亲|爸爸|妈妈)(?:的名字)?(?:叫做?|名叫|姓名是?))[一-鿿·]{2,4}"
        ),
        rf"\1{REMOVED}",
    ),
    (
        re.compile(r"((?:姓名|名字|本人|联系人|申请人|户主|患者|法人)\s*(?:是|为|叫|[:：])\s*)[一-鿿·]{2,4}"),
        rf"\1{REMOVED}",
    ),
    (re.compile(rf"((?:本人|我是|联系人)\s*)[{_SURNAMES}][一-鿿]{{1,2}}(?=[,，。;；\s]|$)"), rf"\1{REMOVED}"),
    (re.compile(rf"[{_SURNAMES}][一-鿿]{{1,2}}(?=(?:先生|女士|小姐|同志|老师|师傅|的身份证|身份证))"), REMOVED),
    # an address down to the door
    (
        re.compile(
            r"[一-鿿0-9]{1,12}(?:路|街|巷|弄|大道|小区|社区|花园|村|组|公寓)[一-鿿0-9A-Za-z-]{0,12}?\d{1,5}\s?(?:号|栋|幢|座|单元|室|楼|户|房)[\d一-鿿A-Za-z-]{0,12}"
        ),
        REMOVED,
    ),
    (re.compile(r"\d{1,4}\s?(?:栋|幢|座)\s?\d{0,3}\s?(?:单元)?\s?\d{0,5}\s?(?:室|号|房|户)?"), REMOVED),
    (re.compile(r"(?<![0-9A-Za-z〔\[(（年.-])\d{7,}(?![0-9A-Za-z])"), REMOVED),  # any other long number
)


def scrub(text: str) -> str:
    """Give a question without personal data, at most 100 characters long, as it may be counted and read."""
    plain = clean("".join(unicodedata.normalize("NFKC", one) for one in text[:400]))
    for pattern, instead in _PATTERNS:
        plain = pattern.sub(instead, plain)
    return re.sub(rf"(?:{re.escape(REMOVED)}\s*){{2,}}", REMOVED, plain)[:100].strip()
