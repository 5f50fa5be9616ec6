"""Widgets that Django lacks: a date in three boxes, which people who know their birthday fill in faster than any calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class DatePartsInput(forms.Widget):
    """Year, month and day in three boxes named ``NAME_year``, ``NAME_month``, ``NAME_day`` (GOV.UK date input)."""

    def boxes(self, value: Any) -> list[tuple[str, Any, int, str]]:
        """Give the boxes as (suffix, label, width, text); what was typed stays, right or wrong."""
        year, month, day = self.split(value)
        return [("year", _("Year"), 4, year), ("month", _("Month"), 2, month), ("day", _("Day"), 2, day)]

    @staticmethod
    def split(value: Any) -> tuple[str, str, str]:
        """Take a date, ``YYYY-MM-DD`` or what was typed apart."""
        if isinstance(value, dt.date):
            return str(value.year), str(value.month), str(value.day)
        parts = [p.lstrip("0") or p for p in str(value or "").split("-")]
        return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (str(value or ""), "", "")

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        if name in data:  # one box, or a draft's ISO date
            return str(data[name]) or None
        given = [str(data.get(f"{name}_{part}") or "").strip() for part in ("year", "month", "day")]
        if not any(given):
            return None
        year, month, day = given
        return f"{year}-{month.zfill(2)}-{day.zfill(2)}"

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and f"{name}_year" not in data

    def id_for_label(self, id_: str | None, index: int | None = None) -> str:
        return f"{id_}_year" if id_ else ""

    def format_value(self, value: Any) -> str | None:
        return None if value in {None, ""} else str(value)
