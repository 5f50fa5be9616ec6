"""Writes of the room, by topic. Each is one transaction with one audit entry."""

from furong.foundation.identity.commands.accounts import (
    bind_person,
    change_password,
    confirm_in_person,
    create_staff_account,
    disable_account,
    enable_account,
    register_resident,
    rename_account,
    reset_password,
    set_language,
    set_phone,
)
from furong.foundation.identity.commands.demo import create_demo_accounts
from furong.foundation.identity.commands.mandates import (
    claim_enterprise,
    grant_mandate,
    refresh_child_mandates,
    revoke_mandate,
)
from furong.foundation.identity.commands.second_factor import (
    check_second_factor,
    enrol_totp,
    remove_totp,
    reset_totp,
)
from furong.foundation.identity.commands.sessions import (
    choose_post,
    end_device,
    end_devices_of,
    end_other_devices,
    record_sign_in,
    switch_principal,
)

__all__ = [
    "bind_person",
    "change_password",
    "check_second_factor",
    "choose_post",
    "claim_enterprise",
    "confirm_in_person",
    "create_demo_accounts",
    "create_staff_account",
    "disable_account",
    "enable_account",
    "end_device",
    "end_devices_of",
    "end_other_devices",
    "enrol_totp",
    "grant_mandate",
    "record_sign_in",
    "refresh_child_mandates",
    "register_resident",
    "remove_totp",
    "rename_account",
    "reset_password",
    "reset_totp",
    "revoke_mandate",
    "set_language",
    "set_phone",
    "switch_principal",
]
