"""Tables of the room; private to it. Other rooms are named by identifier, never by foreign key."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from furong.domains.cases.values.states import CaseState, EndReason
from furong.foundation.codes.ids import new_id


class Counter(models.Model):
    """The last serial given out for a day of a division, or for a year of an organisation's documents."""

    key = models.CharField(max_length=120, primary_key=True)
    value = models.BigIntegerField()

    class Meta:
        db_table = "cases_counter"


class Draft(models.Model):
    """Answers that an applicant has saved and not handed in; it outlives a sign-in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account_id = models.UUIDField(db_index=True)
    person_id = models.UUIDField(null=True, db_index=True)
    mandate_id = models.UUIDField(null=True)
    life_event_code = models.CharField(max_length=80, blank=True)
    item_codes = models.JSONField(default=list)
    division_code = models.CharField(max_length=12)
    form_digest = models.CharField(max_length=80, blank=True)
    answers = models.JSONField(default=dict)
    pages_done = models.JSONField(default=list)
    to_check = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_draft"
        indexes = (
            models.Index(
                fields=("account_id", "-updated_at"),
                name="cases_draft_open",
                condition=Q(submitted_at=None, discarded_at=None),
            ),
        )


class Application(models.Model):
    """What a person handed in once; its state is derived from its cases."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=40, unique=True)
    # The idempotency key: one draft is one application, whatever is sent twice.
    draft_id = models.UUIDField(unique=True)
    life_event_code = models.CharField(max_length=80, blank=True)
    title = models.JSONField()
    applicant_account_id = models.UUIDField()
    applicant_person_id = models.UUIDField(null=True)
    principal_kind = models.CharField(max_length=20, default="person")
    principal_id = models.UUIDField()
    mandate_id = models.UUIDField(null=True)
    division_code = models.CharField(max_length=12)
    submitted_at = models.DateTimeField()
    submitted_on = models.DateField()
    form_digest = models.CharField(max_length=80, blank=True)
    # element code -> {"value", "source", "source_label", "legal_basis"}
    answers = models.JSONField()
    # Elements whose register did not answer at submission; null when nothing is owed.
    awaited = models.JSONField(null=True)

    class Meta:
        db_table = "cases_application"
        indexes = (
            models.Index(fields=("applicant_person_id", "-submitted_at"), name="cases_application_of_person"),
            models.Index(fields=("principal_id", "-submitted_at"), name="cases_application_principal"),
            models.Index(fields=("applicant_account_id", "-submitted_at"), name="cases_application_account"),
        )


class Case(models.Model):
    """One item of an application, with its own state, clock, decision, version and remedy."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="cases")
    ordinal = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=44, unique=True)
    item_code = models.CharField(max_length=80)
    item_name = models.JSONField()
    result_name = models.JSONField(default=dict)
    state = models.CharField(max_length=30, choices=[(s.value, s.value) for s in CaseState])
    version = models.PositiveIntegerField(default=1)
    # What the case is decided by, whatever is published later: item, form, BPMN and DMN.
    closure_digest = models.CharField(max_length=80)
    process_digest = models.CharField(max_length=80, blank=True)
    terms = models.JSONField(default=dict)
    requires = models.JSONField(default=list)
    visible_elements = models.JSONField(default=list)
    department = models.CharField(max_length=60)
    organization_id = models.UUIDField()
    division_code = models.CharField(max_length=12)
    process_instance_id = models.UUIDField(null=True, unique=True)
    received_at = models.DateTimeField(null=True)
    received_on = models.DateField(null=True)
    acceptance_due_on = models.DateField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_on = models.DateField(null=True)
    deemed_accepted = models.BooleanField(default=False)
    clock = models.JSONField(null=True)
    yellow_on = models.DateField(null=True)
    promised_due_on = models.DateField(null=True)
    statutory_due_on = models.DateField(null=True)
    # The worst light that was already told, so that each turn is told once.
    light_told = models.CharField(max_length=10, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_on = models.DateField(null=True)
    decided_by_account_id = models.UUIDField(null=True)
    used_days = models.PositiveIntegerField(null=True)
    in_time = models.BooleanField(null=True)
    delivery_due_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)
    end_reason = models.CharField(max_length=40, blank=True, choices=[(r.value, r.value) for r in EndReason if r.value])
    end_note = models.TextField(blank=True)
    remedies = models.JSONField(default=list)
    outputs = models.JSONField(default=dict)
    # The value of the element that the item is applied for once; empty when there is none.
    matter = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        db_table = "cases_case"
        constraints = (
            models.UniqueConstraint(fields=("application", "item_code"), name="cases_case_item_once"),
            models.UniqueConstraint(fields=("application", "ordinal"), name="cases_case_ordinal_once"),
            models.CheckConstraint(name="cases_case_state_known", condition=Q(state__in=[s.value for s in CaseState])),
            models.CheckConstraint(
                name="cases_case_accepted_has_clock",
                condition=~Q(state__in=["accepted", "in_progress", "paused", "approved", "completed"])
                | Q(clock__isnull=False, accepted_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                fields=("organization_id", "promised_due_on"),
                name="cases_case_open_due",
                condition=Q(ended_at=None),
            ),
            models.Index(fields=("division_code", "state"), name="cases_case_division_state"),
            models.Index(fields=("organization_id", "ended_on"), name="cases_case_ended"),
            models.Index(
                fields=("acceptance_due_on",),
                name="cases_case_acceptance_due",
                condition=Q(state="submitted"),
            ),
            models.Index(
                fields=("yellow_on",),
                name="cases_case_yellow",
                condition=Q(ended_at=None, decided_on=None),
            ),
            models.Index(fields=("decided_on",), name="cases_case_decided", condition=Q(in_time__isnull=False)),
            models.Index(fields=("item_code", "matter"), name="cases_case_matter", condition=~Q(matter="")),
        )


class CaseEvent(models.Model):
    """One line of the timeline: a code and its parameters, put into plain words where it is shown. No personal data."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="events")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="events")
    at = models.DateTimeField()
    code = models.CharField(max_length=60)
    params = models.JSONField(default=dict)
    actor_kind = models.CharField(max_length=20)
    account_id = models.UUIDField(null=True)
    organization_id = models.UUIDField(null=True)

    class Meta:
        db_table = "cases_event"
        indexes = (models.Index(fields=("application", "at"), name="cases_event_timeline"),)


class Supplement(models.Model):
    """The notice of what is missing; the law allows one for a case (Administrative Licensing Law art. 32)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="supplement")
    wanted = models.JSONField()
    reason = models.TextField()
    requested_at = models.DateTimeField()
    requested_by_account_id = models.UUIDField(null=True)
    due_on = models.DateField()
    answered_at = models.DateTimeField(null=True)
    answers = models.JSONField(default=dict)
    lapsed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_supplement"
        constraints = (
            models.CheckConstraint(name="cases_supplement_one_end", condition=Q(answered_at=None) | Q(lapsed_at=None)),
        )
        indexes = (
            models.Index(
                fields=("due_on",), name="cases_supplement_due", condition=Q(answered_at=None, lapsed_at=None)
            ),
        )


class Pause(models.Model):
    """A special procedure that stops the clock (art. 45), with its legal basis."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="pauses")
    procedure = models.CharField(max_length=40)
    legal_basis = models.TextField()
    reason = models.TextField(blank=True)
    expected_until_on = models.DateField(null=True)
    started_at = models.DateTimeField()
    started_on = models.DateField()
    ended_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)
    outcome = models.TextField(blank=True)
    by_account_id = models.UUIDField(null=True)

    class Meta:
        db_table = "cases_pause"
        constraints = (
            models.UniqueConstraint(fields=("case",), condition=Q(ended_at=None), name="cases_pause_one_at_a_time"),
        )


class Extension(models.Model):
    """Ten more days (art. 42): asked for by one person, approved by another, told to the applicant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="extensions")
    days = models.PositiveSmallIntegerField()
    reason = models.TextField()
    state = models.CharField(max_length=20, default="requested")
    requested_at = models.DateTimeField()
    requested_by_account_id = models.UUIDField()
    decided_at = models.DateTimeField(null=True)
    decided_by_account_id = models.UUIDField(null=True)

    class Meta:
        db_table = "cases_extension"
        constraints = (
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(state__in=["requested", "approved"]),
                name="cases_extension_once",
            ),
            models.CheckConstraint(
                name="cases_extension_by_two_people",
                condition=Q(decided_by_account_id=None) | ~Q(decided_by_account_id=F("requested_by_account_id")),
            ),
        )


class Consent(models.Model):
    """What another person must agree to before a case can be received, such as the second parent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="consents")
    code = models.CharField(max_length=60)
    statement = models.JSONField()
    message = models.CharField(max_length=60)
    requested_of_person_id = models.UUIDField(db_index=True)
    state = models.CharField(max_length=20, default="requested")
    requested_at = models.DateTimeField()
    remind_on = models.DateField(null=True)
    due_on = models.DateField()
    reminded_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by_account_id = models.UUIDField(null=True)
    refusal_reason = models.TextField(blank=True)

    class Meta:
        db_table = "cases_consent"
        constraints = (
            models.UniqueConstraint(fields=("case", "code", "requested_of_person_id"), name="cases_consent_once"),
            models.CheckConstraint(
                name="cases_consent_state_known",
                condition=Q(state__in=["requested", "given", "refused", "lapsed", "dropped"]),
            ),
        )
        indexes = (models.Index(fields=("due_on",), name="cases_consent_due", condition=Q(state="requested")),)


class Document(models.Model):
    """A numbered document of a case and the record of its service."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=40)
    organization_id = models.UUIDField()
    number = models.CharField(max_length=60)
    issued_at = models.DateTimeField()
    issued_on = models.DateField()
    signed_by_account_id = models.UUIDField(null=True)
    data = models.JSONField()
    file_digest = models.CharField(max_length=80, blank=True)
    rendered_at = models.DateTimeField(null=True)
    served_at = models.DateTimeField(null=True)
    served_by = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_document"
        constraints = (models.UniqueConstraint(fields=("organization_id", "number"), name="cases_document_number"),)


class Rating(models.Model):
    """How well the applicant was served, once for a case (好差评)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="rating")
    level = models.PositiveSmallIntegerField()
    aspects = models.JSONField(default=dict)
    comment = models.TextField(blank=True)
    account_id = models.UUIDField()
    person_id = models.UUIDField(null=True)
    organization_id = models.UUIDField()
    division_code = models.CharField(max_length=12)
    at = models.DateTimeField()
    rated_on = models.DateField()

    class Meta:
        db_table = "cases_rating"
        constraints = (
            models.CheckConstraint(name="cases_rating_five_levels", condition=Q(level__gte=1, level__lte=5)),
        )
        indexes = (models.Index(fields=("organization_id", "rated_on"), name="cases_rating_organization"),)


class CallBack(models.Model):
    """What a bad rating obliges the body to: a call within a day, a mend within fifteen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rating = models.OneToOneField(Rating, on_delete=models.PROTECT, related_name="call_back")
    state = models.CharField(max_length=20, default="open")
    contact_due_on = models.DateField()
    fix_due_on = models.DateField()
    opened_at = models.DateTimeField()
    contacted_at = models.DateTimeField(null=True)
    contact_note = models.TextField(blank=True)
    fixed_at = models.DateTimeField(null=True)
    fix_note = models.TextField(blank=True)
    by_account_id = models.UUIDField(null=True)
    new_level = models.PositiveSmallIntegerField(null=True)
    new_level_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_call_back"
        indexes = (models.Index(fields=("fix_due_on",), name="cases_call_back_open", condition=~Q(state="closed")),)


class Review(models.Model):
    """The applicant asks the body itself to look again (复核); the courts stay open to them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    reason = models.TextField()
    state = models.CharField(max_length=20, default="requested")
    requested_at = models.DateTimeField()
    requested_by_account_id = models.UUIDField()
    due_on = models.DateField()
    answered_at = models.DateTimeField(null=True)
    answered_by_account_id = models.UUIDField(null=True)
    answer = models.TextField(blank=True)

    class Meta:
        db_table = "cases_review"
        constraints = (
            models.UniqueConstraint(fields=("case",), condition=Q(state="requested"), name="cases_review_one_open"),
        )


class HospitalBirth(models.Model):
    """The hospital's record of a birth, as its twin holds it until the exchange carries the real one."""

    record_id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    mother_person_id = models.UUIDField(db_index=True)
    hospital_name = models.JSONField()
    hospital_code = models.CharField(max_length=18)
    division_code = models.CharField(max_length=12)
    born_at = models.DateTimeField()
    sex = models.CharField(max_length=1)
    weight_g = models.PositiveIntegerField()
    length_mm = models.PositiveIntegerField()
    gestation_weeks = models.PositiveSmallIntegerField()
    certificate_number = models.CharField(max_length=20, unique=True)

    class Meta:
        db_table = "cases_twin_hospital_birth"


class Marriage(models.Model):
    """The marriage register's record of a couple, as its twin holds it."""

    record_id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first_person_id = models.UUIDField(db_index=True)
    second_person_id = models.UUIDField(db_index=True)
    certificate_number = models.CharField(max_length=30, unique=True)
    registered_on = models.DateField()
    ended_on = models.DateField(null=True)
    division_code = models.CharField(max_length=12)

    class Meta:
        db_table = "cases_twin_marriage"


class InsuredPerson(models.Model):
    """The medical insurance's record of a person, as its twin holds it."""

    person_id = models.UUIDField(primary_key=True)
    insured_kind = models.CharField(max_length=20)
    contribution_base_fen = models.BigIntegerField()

    class Meta:
        db_table = "cases_twin_insured_person"


class ExitBar(models.Model):
    """Who may not leave the country and why, as the twin of the exit control holds it (Passport Law art. 13)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person_id = models.UUIDField(db_index=True)
    ground = models.CharField(max_length=40)
    authority = models.JSONField()
    from_on = models.DateField()
    until_on = models.DateField(null=True)

    class Meta:
        db_table = "cases_twin_exit_bar"


class TwinFault(models.Model):
    """A switch that lets a twin answer slowly or not at all, so that what follows can be shown."""

    twin = models.CharField(max_length=40, primary_key=True)
    mode = models.CharField(max_length=20)
    delay_seconds = models.FloatField(default=0)

    class Meta:
        db_table = "cases_twin_fault"
