"""The account pages. Each writes through a command; a refusal stands in the form's error summary, and nothing typed is lost."""

from furong.foundation.identity.views.account import (
    devices,
    end_device,
    end_other_devices,
    overview,
    password,
    second_factor,
    second_factor_remove,
)
from furong.foundation.identity.views.acting import act, mandate_enterprise, mandate_new, mandate_revoke, mandates
from furong.foundation.identity.views.entry import (
    real_name,
    sign_in,
    sign_in_code,
    sign_in_enrol,
    sign_in_password,
    sign_out,
    sign_up,
)

__all__ = [
    "act",
    "devices",
    "end_device",
    "end_other_devices",
    "mandate_enterprise",
    "mandate_new",
    "mandate_revoke",
    "mandates",
    "overview",
    "password",
    "real_name",
    "second_factor",
    "second_factor_remove",
    "sign_in",
    "sign_in_code",
    "sign_in_enrol",
    "sign_in_password",
    "sign_out",
    "sign_up",
]
