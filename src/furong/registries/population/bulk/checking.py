"""What a row must be before it is written, told for a whole batch at once. Pure; nothing here reads the register."""

from __future__ import annotations

from datetime import date

import polars as pl

from furong.foundation.codes import queries as codes

from .mapping import CODED

# Why a row is not taken. The texts are for the operator who corrects the file.
REASONS: dict[str, tuple[str, str]] = {
    "number_missing": ("没有公民身份号码", "no identity number"),
    "number_form": ("公民身份号码不是18位", "the identity number has not 18 characters"),
    "number_check": ("公民身份号码校验码不符", "the check character of the identity number does not fit"),
    "number_date": (
        "公民身份号码中的日期不存在或在将来",
        "the date in the identity number does not exist or lies ahead",
    ),
    "number_reserved": ("保留给虚构人员的号码", "a number kept for invented people"),
    "number_twice": ("同一号码在文件中出现多次", "the number stands in the file more than once"),
    "number_of_another": ("号码已属于登记中的另一人", "the number belongs to somebody else in the register"),
    "name_invalid": ("姓名为空或含有不能登记的字符", "the name is empty or holds what no name has"),
    "born_on_invalid": (
        "出生日期无法识别或与号码不符",
        "the date of birth cannot be read or is not that of the number",
    ),
    "sex_invalid": ("性别代码无效或与号码不符", "the sex has no code or is not that of the number"),
    "ethnicity_invalid": ("民族代码无效", "the ethnic group has no code"),
    "marital_invalid": ("婚姻状况代码无效", "the marital status has no code"),
    "relation_invalid": ("与户主关系代码无效", "the relation to the head of household has no code"),
    "division_invalid": ("户籍地区划不是12位有效代码", "the division is not a known code of 12 digits"),
    "division_elsewhere": ("户籍地不属于本市中心", "the division belongs to another city's centre"),
    "address_missing": ("没有住址", "no address"),
    "household_missing": ("没有户号", "no household number"),
    "registered_on_invalid": ("登记日期无法识别或在将来", "the day of registration cannot be read or lies ahead"),
    "household_without_head": ("本户没有户主", "the household has no head"),
    "household_of_many_heads": ("本户不止一个户主", "the household has more than one head"),
    "household_closed": ("该户已注销", "the household was closed"),
}

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NAME = r"^[\p{L}\p{M}\x{20000}-\x{3FFFF}][\p{L}\p{M}\x{20000}-\x{3FFFF} ·.'\-]{0,49}$"
_DATE_FORMS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")
HEAD = "02"


def check(frame: pl.DataFrame, *, today: date, allow_reserved: bool = False, centre: str = "") -> pl.DataFrame:
    """Return the rows with codes in place of words, dates as dates, and ``reasons`` (empty when all is well).

    ``centre`` takes only the divisions of one city (four digits). The columns are those that staging gives. Number: GB 11643;
    sex and birth are taken from it where the file is silent. Some two microseconds a row.
    """
    number = pl.col("number")
    frame = frame.with_columns(
        pl.col("name").str.normalize("NFC").str.replace_all("[•・]", "·").str.replace_all(r"\s+", " "),
        pl.col("address").str.replace_all(r"[\x00-\x1f\x7f]+", " "),
        *(_coded(name) for name in CODED),
        _number_form=number.str.contains(r"^[1-9]\d{16}[\dX]$").fill_null(False),
    )
    frame = frame.with_columns(
        _born=pl.when("_number_form").then(number.str.slice(6, 8)).str.to_date("%Y%m%d", strict=False),
        _sex=pl.when("_number_form").then(
            pl.when(number.str.slice(16, 1).cast(pl.Int8, strict=False) % 2 == 1)
            .then(pl.lit("1"))
            .otherwise(pl.lit("2"))
        ),
        _check=pl.when("_number_form").then(check_character(number)),
        _given_born=pl.coalesce(pl.col("born_on").str.to_date(form, strict=False) for form in _DATE_FORMS),
        _registered=pl.coalesce(pl.col("registered_on").str.to_date(form, strict=False) for form in _DATE_FORMS),
    )
    rules: dict[str, pl.Expr | pl.Series] = {
        "number_missing": number.is_null(),
        "number_form": number.is_not_null() & ~pl.col("_number_form"),
        "number_check": pl.col("_number_form") & (pl.col("_check") != number.str.slice(17, 1)),
        "number_date": pl.col("_number_form")
        & (pl.col("_born").is_null() | (pl.col("_born") > today) | (pl.col("_born") < date(1850, 1, 1))),
        "number_reserved": pl.lit(not allow_reserved) & number.str.contains(r"^43\d\d9\d").fill_null(False),
        "number_twice": pl.col("twice"),
        "name_invalid": ~pl.col("name").str.contains(_NAME).fill_null(False),
        "born_on_invalid": pl.col("born_on").is_not_null()
        & (
            pl.col("_given_born").is_null()
            | pl.col("_given_born").ne_missing(pl.col("_born")) & pl.col("_born").is_not_null()
        ),
        "sex_invalid": pl.col("sex").is_not_null()
        & (
            ~pl.col("sex").is_in(list(_codes("sex")))
            | pl.col("sex").ne_missing(pl.col("_sex")) & pl.col("_sex").is_not_null()
        ),
        "ethnicity_invalid": ~pl.col("ethnicity").is_in(list(_codes("ethnic_group"))).fill_null(False),
        "marital_invalid": pl.col("marital").is_not_null() & ~pl.col("marital").is_in(list(_codes("marital_status"))),
        "relation_invalid": ~pl.col("relation").is_in(list(_codes("household_relation"))).fill_null(False),
        "division_invalid": ~_known_division(frame["division_code"]),
        "division_elsewhere": ~pl.col("division_code").str.starts_with(centre).fill_null(True),
        "address_missing": pl.col("address").is_null(),
        "household_missing": pl.col("household").is_null(),
        "registered_on_invalid": pl.col("registered_on").is_not_null()
        & (pl.col("_registered").is_null() | (pl.col("_registered") > today)),
    }
    reasons = pl.concat_list(
        [pl.when(rule).then(pl.lit(name)) for name, rule in rules.items()],
    ).list.drop_nulls()
    frame = frame.with_columns(reasons=reasons)
    frame = frame.with_columns(
        born_on=pl.col("_born"),
        sex=pl.col("_sex"),
        registered_on=pl.coalesce("_registered", pl.max_horizontal("_born", pl.lit(date(1958, 1, 9)))),
        marital=pl.col("marital").fill_null("90"),
        former_name=pl.col("former_name").fill_null(""),
        native_division_code=pl.col("native_division_code").fill_null(""),
    )
    return frame.drop([name for name in frame.columns if name.startswith("_")])


def _codes(table: str) -> dict[str, str]:
    """Codes and their Chinese names, both as codes."""
    items = codes.get_table(name=table).items
    return {**{code: code for code in items}, **{item.zh: code for code, item in items.items()}}


def _coded(name: str) -> pl.Expr:
    words = _codes(CODED[name])
    if name == "ethnicity":  # 汉 for 汉族, as many files say it
        words |= {word.removesuffix("族"): code for word, code in words.items() if len(word) > 1}
    return pl.col(name).replace(words)


def check_character(number: pl.Expr) -> pl.Expr:
    """Give the check character of numbers whose first 17 characters are digits (GB 11643)."""
    total = pl.sum_horizontal(
        number.str.slice(at, 1).cast(pl.Int32, strict=False) * weight for at, weight in enumerate(_WEIGHTS)
    )
    return (total % 11).replace_strict(dict(enumerate(_CHECKS)), return_dtype=pl.String)


def _known_division(column: pl.Series) -> pl.Series:
    """Twelve digits whose first six are a division of GB/T 2260, or one kept for invented people."""
    form = column.str.contains(r"^\d{12}$").fill_null(False)
    counties = column.str.slice(0, 6)
    known = {
        one for one in counties.unique().to_list() if one is not None and codes.find_division(code=one) is not None
    }
    return form & (counties.is_in(list(known)) | counties.str.contains(r"^43\d\d9\d")).fill_null(False)
