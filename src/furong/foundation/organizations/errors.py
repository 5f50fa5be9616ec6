"""Refusals of the room. None carries a person's data."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class DivisionUnknown(Refusal):
    """No division in force has this code."""

    code = "organizations.division_unknown"
    message = "There is no division with the code %(division)s."
    mend = "Choose a division from the list."


class OrganizationNotFound(Refusal):
    """No organisation has this identifier."""

    code = "organizations.not_found"
    message = "There is no such organisation."


class NoResponsibleOrganization(Refusal):
    """Neither the division nor any above it has an organisation of the department."""

    code = "organizations.none_responsible"
    message = "No organisation of this department is responsible for the division."
    mend = "The administrator adds one."


class DepartmentUnknown(Refusal):
    """The pack has no such department."""

    code = "organizations.department_unknown"
    message = "There is no such department."


class CodeTaken(Refusal):
    """Another organisation has this credit code."""

    code = "organizations.code_taken"
    message = "Another organisation has this credit code."
    mend = "Check the code on the certificate."


class CodeRefused(Refusal):
    """The credit code is not one (GB 32100)."""

    code = "organizations.code_refused"
    message = "This is not a unified social credit code."
    mend = "Check its eighteen characters."


class NameMissing(Refusal):
    """A name is needed."""

    code = "organizations.name_missing"
    message = "Give a name."


class OrganizationClosed(Refusal):
    """The organisation has been abolished."""

    code = "organizations.closed"
    message = "The organisation has been abolished."


class OrganizationInUse(Refusal):
    """People still sit in the organisation, or organisations stand below it."""

    code = "organizations.in_use"
    message = "The organisation still has %(appointments)s appointments and %(below)s organisations below it."
    mend = "Transfer the people and move the organisations first."


class ParentRefused(Refusal):
    """An organisation cannot stand below itself."""

    code = "organizations.parent_refused"
    message = "An organisation cannot stand below itself."
    mend = "Choose another parent."


class UnitNotFound(Refusal):
    """No open unit of the organisation has this identifier."""

    code = "organizations.unit_not_found"
    message = "The organisation has no such unit."


class UnitExists(Refusal):
    """The organisation has an open unit of that name already."""

    code = "organizations.unit_exists"
    message = "The organisation has a unit of that name."


class UnitInUse(Refusal):
    """Open posts or units stand below the unit."""

    code = "organizations.unit_in_use"
    message = "The unit still has posts or units."
    mend = "Close them first."


class PostNotFound(Refusal):
    """No open post has this identifier."""

    code = "organizations.post_not_found"
    message = "There is no such post."


class PostInUse(Refusal):
    """Somebody still sits in the post."""

    code = "organizations.post_in_use"
    message = "Somebody still holds the post."
    mend = "End or transfer the appointment first."


class RightUnknown(Refusal):
    """No part of the platform knows this right."""

    code = "organizations.right_unknown"
    message = "No part of the platform knows the right %(right)s."


class RightBeyondOwn(Refusal):
    """Nobody gives what they do not hold: a right wider than the giver's own scope."""

    code = "organizations.right_beyond_own"
    message = "You cannot give a right that reaches further than what you administer."
    mend = "Choose a narrower reach, or ask an administrator above."


class TemplateUnknown(Refusal):
    """The pack has no post of this kind for the organisation."""

    code = "organizations.template_unknown"
    message = "There is no kind of post %(template)s for this organisation."


class AppointmentNotFound(Refusal):
    """No open appointment has this identifier."""

    code = "organizations.appointment_not_found"
    message = "There is no such appointment."


class AlreadyAppointed(Refusal):
    """The account holds the post already."""

    code = "organizations.already_appointed"
    message = "The account holds this post already."


class PeriodRefused(Refusal):
    """A period that ends before it begins."""

    code = "organizations.period_refused"
    message = "The period ends before it begins."
