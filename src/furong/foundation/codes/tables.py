"""The national code tables, as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from furong.foundation.codes.values import CodeItem, CodeTable

__all__ = ["REGISTRAR_KINDS", "TABLES"]

_SEX = """
0 未知的性别|Unknown
1 男|Male
2 女|Female
9 未说明的性别|Not stated
"""

_MARITAL = """
10 未婚|Never married
20 已婚|Married
21 初婚|First marriage
22 再婚|Married again
23 复婚|Remarried to the same person
30 丧偶|Widowed
40 离婚|Divorced
90 未说明的婚姻状况|Not stated
"""

_ETHNIC = """
01 汉族|Han
02 蒙古族|Mongol
03 回族|Hui
04 藏族|Tibetan
05 维吾尔族|Uygur
06 苗族|Miao
07 彝族|Yi
08 壮族|Zhuang
09 布依族|Buyei
10 朝鲜族|Korean
11 满族|Manchu
12 侗族|Dong
13 瑶族|Yao
14 白族|Bai
15 土家族|Tujia
16 哈尼族|Hani
17 哈萨克族|Kazak
18 傣族|Dai
19 黎族|Li
20 傈僳族|Lisu
21 佤族|Va
22 畲族|She
23 高山族|Gaoshan
24 拉祜族|Lahu
25 水族|Sui
26 东乡族|Dongxiang
27 纳西族|Naxi
28 景颇族|Jingpo
29 柯尔克孜族|Kirgiz
30 土族|Tu
31 达斡尔族|Daur
32 仫佬族|Mulao
33 羌族|Qiang
34 布朗族|Blang
35 撒拉族|Salar
36 毛南族|Maonan
37 仡佬族|Gelao
38 锡伯族|Xibe
39 阿昌族|Achang
40 普米族|Pumi
41 塔吉克族|Tajik
42 怒族|Nu
43 乌孜别克族|Uzbek
44 俄罗斯族|Russian
45 鄂温克族|Ewenki
46 德昂族|De'ang
47 保安族|Bonan
48 裕固族|Yugur
49 京族|Gin
50 塔塔尔族|Tatar
51 独龙族|Derung
52 鄂伦春族|Oroqen
53 赫哲族|Hezhen
54 门巴族|Monba
55 珞巴族|Lhoba
56 基诺族|Jino
97 其他|Other
98 外国血统中国籍人士|Naturalised
"""

_RELATION = """
01 本人|Self
02 户主|Head of household
10 配偶|Spouse
11 夫|Husband
12 妻|Wife
20 子|Son
21 独生子|Only son
22 长子|Eldest son
23 次子|Second son
24 三子|Third son
25 四子|Fourth son
26 五子|Fifth son
27 养子或继子|Adopted son or stepson
28 女婿|Son-in-law
29 其他儿子|Other son
30 女|Daughter
31 独生女|Only daughter
32 长女|Eldest daughter
33 次女|Second daughter
34 三女|Third daughter
35 四女|Fourth daughter
36 五女|Fifth daughter
37 养女或继女|Adopted daughter or stepdaughter
38 儿媳|Daughter-in-law
39 其他女儿|Other daughter
40 孙子、孙女或外孙子、外孙女|Grandchild
41 孙子|Grandson (son's son)
42 孙女|Granddaughter (son's daughter)
43 外孙子|Grandson (daughter's son)
44 外孙女|Granddaughter (daughter's daughter)
45 孙媳妇或外孙媳妇|Grandson's wife
46 孙女婿或外孙女婿|Granddaughter's husband
47 曾孙子或曾外孙子|Great-grandson
48 曾孙女或曾外孙女|Great-granddaughter
49 其他孙子、孙女|Other grandchild
50 父母|Parent
51 父亲|Father
52 母亲|Mother
53 公公|Husband's father
54 婆婆|Husband's mother
55 岳父|Wife's father
56 岳母|Wife's mother
57 继父或养父|Stepfather or adoptive father
58 继母或养母|Stepmother or adoptive mother
59 其他父母关系|Other parental relation
60 祖父母或外祖父母|Grandparent
61 祖父|Paternal grandfather
62 祖母|Paternal grandmother
63 外祖父|Maternal grandfather
64 外祖母|Maternal grandmother
65 配偶的祖父母或外祖父母|Spouse's grandparent
66 曾祖父|Great-grandfather
67 曾祖母|Great-grandmother
68 配偶的曾祖父母|Spouse's great-grandparent
69 其他祖父母关系|Other grandparental relation
70 兄弟姐妹|Sibling
71 兄|Elder brother
72 嫂|Elder brother's wife
73 弟|Younger brother
74 弟媳|Younger brother's wife
75 姐姐|Elder sister
76 姐夫|Elder sister's husband
77 妹妹|Younger sister
78 妹夫|Younger sister's husband
79 其他兄弟姐妹|Other sibling
80 其他|Other
81 伯父|Father's elder brother
82 伯母|Wife of father's elder brother
83 叔父|Father's younger brother
84 婶母|Wife of father's younger brother
85 舅父|Mother's brother
86 舅母|Wife of mother's brother
87 姨父|Husband of mother's sister
88 姨母|Mother's sister
89 姑父|Husband of father's sister
90 姑母|Father's sister
91 堂兄弟、堂姐妹|Paternal cousin
92 表兄弟、表姐妹|Maternal cousin
93 侄子|Brother's son
94 侄女|Brother's daughter
95 外甥|Sister's son
96 外甥女|Sister's daughter
97 其他亲属|Other relative
98 保姆|Domestic helper
99 非亲属|Not related
"""

_EDUCATION = """
10 研究生教育|Postgraduate
20 大学本科|Undergraduate
30 大学专科|Junior college
40 中等职业教育|Secondary vocational
60 普通高级中学|Senior secondary
70 初级中学|Junior secondary
80 小学|Primary
90 其他|Other
"""

_DOCUMENT = """
111 居民身份证|Resident identity card
414 普通护照|Ordinary passport
511 台湾居民来往大陆通行证|Mainland travel permit for Taiwan residents
516 港澳居民来往内地通行证|Mainland travel permit for Hong Kong and Macau residents
553 外国人永久居留身份证|Foreign permanent resident card
"""


def _table(name: str, standard: str, zh: str, en: str, rows: str) -> CodeTable:
    items: dict[str, CodeItem] = {}
    for row in rows.strip().splitlines():
        code, _, labels = row.partition(" ")
        label_zh, _, label_en = labels.partition("|")
        items[code] = CodeItem(code, label_zh, label_en)
    return CodeTable(name, standard, zh, en, MappingProxyType(items))


TABLES: Mapping[str, CodeTable] = MappingProxyType(
    {
        table.name: table
        for table in (
            _table("sex", "GB/T 2261.1-2003", "性别", "Sex", _SEX),
            _table("marital_status", "GB/T 2261.2-2003", "婚姻状况", "Marital status", _MARITAL),
            _table("ethnic_group", "GB/T 3304-1991", "民族", "Ethnic group", _ETHNIC),
            _table("education", "GB/T 4658-2006", "学历", "Education", _EDUCATION),
            _table("household_relation", "GB/T 4761-2008", "家庭关系", "Household relation", _RELATION),
            _table("identity_document", "GA/T 2000.156", "常用证件", "Identity document", _DOCUMENT),
        )
    }
)

# GB 32100-2015 table 1 with its first amendment: who registers (first character), and which kinds (second character).
REGISTRAR_KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "1": frozenset("1239"),  # public-sector staffing: organs, institutions, mass organisations
        "2": frozenset("19"),  # foreign affairs
        "3": frozenset("123459"),  # justice: law firms, notaries, legal services, forensics, arbitration
        "4": frozenset("19"),  # culture
        "5": frozenset("1239"),  # civil affairs: associations, private non-profit units, foundations
        "6": frozenset("129"),  # tourism
        "7": frozenset("129"),  # religious affairs
        "8": frozenset("19"),  # trade unions
        "9": frozenset("123"),  # market supervision: enterprises, individual businesses, farmers' cooperatives
        "A": frozenset("19"),  # the army
        "N": frozenset("1239"),  # agriculture: collective organisations of group, village, township
        "Y": frozenset("1"),  # others
    }
)
