"""Twins of three registers outside the platform, which ship until the exchange carries the real ones.

Each is a small store with tables of its own, filled by the demo for its couples, always the same for the same seed. A
switch lets a twin answer slowly or not at all, so that what follows a silent register can be shown.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID, uuid5

from django.db.models import Q

from furong.domains.cases import models
from furong.domains.cases.errors import TwinUnavailableError
from furong.domains.cases.ports import BirthRecord, ExitBar, MarriageRecord
from furong.domains.cases.values.plans import Text
from furong.foundation.codes.leases import Leased

HOSPITAL, MARRIAGE, EXIT_CONTROL = "hospital", "marriage", "exit_control"
_NAMESPACE = UUID("6b1f3f2e-6a0e-4c39-9d1d-3a2f7f0e5a11")


class HospitalTwin:
    """The hospitals' birth records."""

    def find_latest(self, *, mother_person_id: UUID) -> BirthRecord | None:
        """Return the latest birth of a mother, None when no hospital knows one."""
        _obey_switch(HOSPITAL)
        row = models.HospitalBirth.objects.filter(mother_person_id=mother_person_id).order_by("-born_at").first()
        if row is None:
            return None
        return BirthRecord(
            record_id=row.record_id,
            mother_person_id=row.mother_person_id,
            hospital_name=row.hospital_name,
            hospital_code=row.hospital_code,
            division_code=row.division_code,
            born_at=row.born_at,
            sex=row.sex,
            weight_g=row.weight_g,
            length_mm=row.length_mm,
            gestation_weeks=row.gestation_weeks,
            certificate_number=row.certificate_number,
        )


class MarriageTwin:
    """The marriage register."""

    def find_marriage(self, *, person_id: UUID, on: date) -> MarriageRecord | None:
        """Return the marriage that a person is in on a day, or None."""
        _obey_switch(MARRIAGE)
        rows = models.Marriage.objects.filter(registered_on__lte=on)
        row = (
            (rows.filter(first_person_id=person_id) | rows.filter(second_person_id=person_id))
            .order_by("-registered_on")
            .first()
        )
        if row is None or (row.ended_on is not None and row.ended_on <= on):
            return None
        spouse = row.second_person_id if row.first_person_id == person_id else row.first_person_id
        return MarriageRecord(
            record_id=row.record_id,
            spouse_person_id=spouse,
            certificate_number=row.certificate_number,
            registered_on=row.registered_on,
        )


class ExitControlTwin:
    """The register of persons who may not leave the country."""

    def find_bar(self, *, person_id: UUID, on: date) -> ExitBar | None:
        """Return what stands against a person's leaving on a day, or None."""
        _obey_switch(EXIT_CONTROL)
        standing = Q(until_on=None) | Q(until_on__gt=on)
        row = models.ExitBar.objects.filter(standing, person_id=person_id, from_on__lte=on).order_by("-from_on").first()
        if row is None:
            return None
        return ExitBar(ground=row.ground, authority=row.authority, until_on=row.until_on)


def load_exit_bar(
    *, person_id: UUID, ground: str, authority: Text, from_on: date, until_on: date | None = None
) -> None:
    """Enter a person who may not leave. For tests and the demo; repeatable."""
    models.ExitBar.objects.update_or_create(
        person_id=person_id,
        ground=ground,
        from_on=from_on,
        defaults={"authority": dict(authority), "until_on": until_on},
    )


def marriage_rows(*, person_id: UUID) -> list[dict[str, object]]:
    """Return the marriages that a person is in, as the items of the resource ``marriages``, newest first.

    Raises TwinUnavailableError.
    """
    _obey_switch(MARRIAGE)
    of_person = Q(first_person_id=person_id) | Q(second_person_id=person_id)
    return [
        {
            "certificate_number": row.certificate_number,
            "registered_on": row.registered_on,
            "wife": str(row.first_person_id),
            "husband": str(row.second_person_id),
            "division_code": row.division_code,
        }
        for row in models.Marriage.objects.filter(of_person, ended_on=None).order_by("-registered_on")
    ]


def birth_rows() -> list[dict[str, object]]:
    """Return all birth records as the items of the resource ``birth_records``: for handing them to the system
    of a hospital that stands behind its own gateway.
    """
    return [
        {
            "record_id": str(row.record_id),
            "mother": str(row.mother_person_id),
            "sex": row.sex,
            "born_at": row.born_at.isoformat(),
            "hospital_name": dict(row.hospital_name),
            "hospital_code": row.hospital_code,
            "division_code": row.division_code,
            "weight_g": row.weight_g,
            "length_mm": row.length_mm,
            "gestation_weeks": row.gestation_weeks,
            "certificate_number": row.certificate_number,
        }
        for row in models.HospitalBirth.objects.order_by("born_at", "record_id")
    ]


def _obey_switch(twin: str) -> None:
    fault = _faults().get(twin)
    if fault is None:
        return
    if fault.mode == "slow":
        time.sleep(fault.delay_seconds)
    elif fault.mode == "unavailable":
        raise TwinUnavailableError(f"The register {twin} does not answer.")


_held: Leased[dict[str, models.TwinFault]] = Leased(seconds=1.0)


def _faults() -> dict[str, models.TwinFault]:
    """The switches that are set, at most a second old."""
    return _held.get("", lambda: {f.twin: f for f in models.TwinFault.objects.all()})


def switch_twin(*, twin: str, mode: str = "", delay_seconds: float = 0) -> None:
    """Let a twin answer ``slow`` or be ``unavailable``, or with no mode as it should. For tests
    and the demo.
    """
    _held.forget()
    if mode:
        models.TwinFault.objects.update_or_create(twin=twin, defaults={"mode": mode, "delay_seconds": delay_seconds})
    else:
        models.TwinFault.objects.filter(twin=twin).delete()


def load_births(
    *,
    mothers: Sequence[UUID],
    hospital_name: Text,
    hospital_code: str,
    division_code: str,
    born_before: datetime,
    seed: int,
) -> tuple[UUID, ...]:
    """Give each mother a birth in the three weeks before a moment and return the records' keys.
    Repeatable.
    """
    rows = []
    for mother in mothers:
        dice = Random(f"{seed}:{mother}")  # noqa: S311 - invented facts, not secrets
        born_at = born_before.astimezone(UTC) - timedelta(hours=dice.randint(48, 21 * 24), minutes=dice.randint(0, 59))
        rows.append(
            models.HospitalBirth(
                record_id=uuid5(_NAMESPACE, f"{seed}:{mother}"),
                mother_person_id=mother,
                hospital_name=dict(hospital_name),
                hospital_code=hospital_code,
                division_code=division_code,
                born_at=born_at.replace(second=0, microsecond=0),
                sex=dice.choice("12"),
                weight_g=dice.randint(2600, 4100),
                length_mm=dice.randint(470, 530),
                gestation_weeks=dice.randint(37, 41),
                certificate_number=_certificate_number(dice),
            )
        )
    models.HospitalBirth.objects.bulk_create(rows, ignore_conflicts=True)
    return tuple(r.record_id for r in rows)


def _certificate_number(dice: Random) -> str:
    """A birth certificate's number is a letter and nine digits; Z opens none that was ever printed."""
    return f"Z{dice.randrange(10**9):09d}"


def load_marriages(*, couples: Sequence[tuple[UUID, UUID]], registered_on: date, division_code: str, seed: int) -> None:
    """Register each couple's marriage. Repeatable."""
    rows = []
    for first, second in couples:
        dice = Random(f"{seed}:{first}:{second}")  # noqa: S311 - invented facts, not secrets
        on = registered_on - timedelta(days=dice.randint(0, 900))
        rows.append(
            models.Marriage(
                record_id=uuid5(_NAMESPACE, f"marriage:{seed}:{first}:{second}"),
                first_person_id=first,
                second_person_id=second,
                certificate_number=f"J{division_code[:6]}-{on:%Y}-{dice.randrange(10**6):06d}",
                registered_on=on,
                division_code=division_code,
            )
        )
    models.Marriage.objects.bulk_create(rows, ignore_conflicts=True)


def load_insured(*, people: Sequence[UUID], seed: int) -> None:
    """Insure each person, six in ten as employees. Repeatable."""
    rows = []
    for person_id in people:
        dice = Random(f"{seed}:insured:{person_id}")  # noqa: S311 - invented facts, not secrets
        employee = dice.random() < 0.6
        rows.append(
            models.InsuredPerson(
                person_id=person_id,
                insured_kind="employee" if employee else "resident",
                contribution_base_fen=dice.randint(400_000, 1_200_000) if employee else 0,
            )
        )
    models.InsuredPerson.objects.bulk_create(rows, ignore_conflicts=True)
