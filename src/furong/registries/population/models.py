"""The register's tables. Private to this room; others use `queries` and `commands`.

Every dated fact is bitemporal: ``valid_from``/``valid_until`` say when it held (until is exclusive),
``recorded_at``/``superseded_at`` when the register believed so. What is known now has ``superseded_at IS NULL``. A correction
supersedes rows and adds others; a trigger refuses to delete or to change them. ``population_person`` is the present state, kept
for look-ups; ``population_person_version`` is its history.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from furong.foundation.codes.ids import new_id

CURRENT = Q(superseded_at__isnull=True)
OPEN = CURRENT & Q(valid_until__isnull=True)


class Person(models.Model):
    """A natural person as the register knows them now."""

    person_id = models.UUIDField(primary_key=True, default=new_id)
    name = models.TextField()
    former_name = models.TextField(default="")
    name_pinyin = models.TextField()  # sort key: syllables with tone, "zeng1 xiao3"
    name_plain = models.TextField()  # search key: "zengxiao"
    name_initials = models.TextField()  # search key: "zx"
    sex = models.CharField(max_length=1)  # GB/T 2261.1
    ethnicity = models.CharField(max_length=2)  # GB/T 3304
    born_on = models.DateField()
    born_at = models.DateTimeField(null=True)
    born_division_code = models.TextField(default="")
    born_place = models.TextField(default="")
    native_division_code = models.TextField(default="")  # 籍贯
    marital = models.CharField(max_length=2, default="90")  # GB/T 2261.2
    status = models.TextField(default="registered")  # values.PersonStatus
    died_on = models.DateField(null=True)
    missing_since = models.DateField(null=True)
    division_code = models.TextField(default="")  # of the permanent residence, 12 digits
    household_id = models.UUIDField(null=True)
    # Of a person whom another centre took over: the division there. The row stays until the province speaks of the other.
    moved_to = models.TextField(default="", db_default="")
    version = models.IntegerField(default=1)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["name_pinyin", "person_id"], name="population_person_sort"),
            models.Index(fields=["name", "born_on", "person_id"], name="population_person_named"),
            models.Index(fields=["name_plain", "born_on", "person_id"], name="population_person_sound"),
            models.Index(fields=["name_initials", "born_on"], name="population_person_initials"),
            models.Index(fields=["born_on", "name_pinyin"], name="population_person_born"),
            models.Index(fields=["division_code", "name_pinyin"], name="population_person_division"),
            models.Index(fields=["household_id"], name="population_person_household"),
            models.Index(fields=["recorded_at"], condition=Q(status="moved"), name="population_person_moved"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(sex__in=["0", "1", "2", "9"]), name="population_person_sex"),
            models.CheckConstraint(
                condition=Q(died_on__isnull=True) | Q(status="deceased"), name="population_person_death"
            ),
        )


class Dated(models.Model):
    """A fact that held over a period and that the register believed over another."""

    id = models.UUIDField(primary_key=True, default=new_id)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    change_id = models.UUIDField()  # the change that wrote it

    class Meta:
        abstract = True


class PersonVersion(Dated):
    """The facts about a person over a period."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.TextField()  # values.ChangeKind
    facts = models.JSONField()

    class Meta:
        db_table = "population_person_version"
        constraints = (
            models.UniqueConstraint(fields=["person", "valid_from"], condition=CURRENT, name="population_version_one"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("valid_from")),
                name="population_version_period",
            ),
        )
        indexes = (models.Index(fields=["person", "recorded_at"], name="population_version_known"),)


class Change(models.Model):
    """One act that changed the register: who, when, on what evidence. Its effect's result is kept for a repeat."""

    id = models.UUIDField(primary_key=True, default=new_id)
    kind = models.TextField()  # values.ChangeKind
    recorded_at = models.DateTimeField()
    organization_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    legal_basis = models.TextField(default="")
    evidence = models.TextField(default="")
    case_id = models.UUIDField(null=True)
    effect_id = models.UUIDField(null=True, unique=True)
    effect_digest = models.TextField(default="")
    result = models.JSONField(default=dict)


class IdentityNumber(Dated):
    """A number of a document that names a person, with its type (GA/T 2000.156)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    type = models.TextField(default="111")
    number = models.TextField()

    class Meta:
        db_table = "population_identity_number"
        constraints = (
            models.UniqueConstraint(fields=["type", "number"], condition=OPEN, name="population_number_active"),
            models.UniqueConstraint(fields=["person", "type"], condition=OPEN, name="population_number_one_of_type"),
        )
        indexes = (
            models.Index(fields=["number"], name="population_number_any"),
            # The numbers that name a person, the dead too: every line of a list shows one.
            models.Index(fields=["person"], condition=CURRENT, name="population_number_of_person"),
        )


class NumberSequence(models.Model):
    """The last sequence given out for a county, a day of birth and a sex; its row lock keeps numbers unique."""

    id = models.BigAutoField(primary_key=True)
    county_code = models.CharField(max_length=6)
    born_on = models.DateField()
    parity = models.SmallIntegerField()  # 1 male, 0 female
    last = models.SmallIntegerField()

    class Meta:
        db_table = "population_number_sequence"
        constraints = (
            models.UniqueConstraint(fields=["county_code", "born_on", "parity"], name="population_sequence_one"),
        )


class Household(models.Model):
    """A household (户): an address, and the book in which its members stand."""

    household_id = models.UUIDField(primary_key=True, default=new_id)
    number = models.TextField(unique=True)  # 户号
    kind = models.TextField(default="family")  # family | collective
    division_code = models.TextField()  # 12 digits
    address = models.TextField()
    opened_on = models.DateField()
    closed_on = models.DateField(null=True)

    class Meta:
        indexes = (models.Index(fields=["division_code"], name="population_household_division"),)


class HouseholdMember(Dated):
    """A person's place in a household, by relation to its head (GB/T 4761)."""

    # Rows travel with a person who moves; the household that they were in stays in the centre that keeps it.
    household = models.ForeignKey(
        Household, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    relation = models.CharField(max_length=2)

    class Meta:
        db_table = "population_household_member"
        constraints = (
            models.UniqueConstraint(fields=["person"], condition=OPEN, name="population_member_one_household"),
            models.UniqueConstraint(
                fields=["household"], condition=OPEN & Q(relation="02"), name="population_household_one_head"
            ),
        )
        indexes = (
            models.Index(fields=["household"], name="population_member_household"),
            models.Index(fields=["person"], name="population_member_person"),
        )


class Relation(Dated):
    """A fact about two people, owned by the subject; the other is named by key only, for they may live in another centre."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.TextField()  # values.RelationKind: what the other is to the person
    other_person_id = models.UUIDField()
    evidence = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "kind", "other_person_id"], condition=OPEN, name="population_relation_once"
            ),
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=OPEN & Q(kind__in=["mother", "father", "spouse"]),
                name="population_relation_single",
            ),
        )
        indexes = (models.Index(fields=["other_person_id", "kind"], name="population_relation_other"),)


class Pair(models.Model):
    """How far the facts about a person and another are: how often somebody acted on them, and which centre did so last.

    Goes with the person when they move. The later version speaks, whatever comes first (`centres.crossing`).
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    person_id = models.UUIDField()
    other_person_id = models.UUIDField()
    topic = models.TextField()  # values.Topic
    version = models.IntegerField()
    author = models.TextField()  # alias of the centre that acted
    maritals = models.JSONField(default=dict)  # for each of the two: since when which status, by these acts

    class Meta:
        db_table = "population_pair"
        constraints = (
            models.UniqueConstraint(fields=["person_id", "other_person_id", "topic"], name="population_pair_one"),
        )


class Residence(Dated):
    """Where a person is registered (permanent) or stays (temporary)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.TextField(default="permanent")  # values.ResidenceKind
    division_code = models.TextField()
    address = models.TextField()
    reason = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person"], condition=OPEN & Q(kind="permanent"), name="population_residence_one_permanent"
            ),
        )
        indexes = (models.Index(fields=["person"], name="population_residence_person"),)


class BirthRegistration(models.Model):
    """The entry of a birth (户口登记条例, art. 7), with its result for whoever asks again."""

    id = models.UUIDField(primary_key=True, default=new_id)
    effect_id = models.UUIDField(unique=True)
    effect_digest = models.TextField()
    birth_record_number = models.TextField(unique=True)  # of the birth certificate (出生医学证明)
    # The act stays where it was done; the child may move to another centre.
    child = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    mother_person_id = models.UUIDField(db_index=True)
    father_person_id = models.UUIDField(null=True, db_index=True)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+", db_index=False)
    born_at = models.DateTimeField()
    born_on = models.DateField()
    is_late = models.BooleanField(default=False)
    late_note = models.TextField(default="")
    consent_reference = models.TextField(default="")
    case_id = models.UUIDField(null=True)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="+", db_index=False)
    registered_at = models.DateTimeField()
    result = models.JSONField()

    class Meta:
        db_table = "population_birth_registration"


class ImportRun(models.Model):
    """A file that is taken in, or was: how far, and what became of its rows."""

    id = models.UUIDField(primary_key=True, default=new_id)
    digest = models.TextField(unique=True)  # SHA-256 over the file and its mapping
    file_name = models.TextField()
    rows = models.BigIntegerField()
    position = models.BigIntegerField(default=0)  # rows, ordered by household, that are through
    written = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    households = models.BigIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "population_import"


from .duplicates.models import Duplicate, DuplicateSearch, DuplicateStep  # noqa: E402, F401 - tables of a subpackage, known to Django by this
from .matches.models import Match  # noqa: E402, F401 - tables of a subpackage, known to Django by this
from .moves.models import Move, MoveStep, TransferDecision  # noqa: E402, F401 - tables of a subpackage, known to Django by this
