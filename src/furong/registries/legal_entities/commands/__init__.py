"""Writes of the register. Each is one transaction with one audit entry and its events."""

from .changing import change, declare_dormant, resume
from .ending import annul, deregister, object_to_notice, publish_notice, revoke, withdraw_notice
from .naming import release_name, reserve_name
from .registering import register

__all__ = [
    "annul",
    "change",
    "declare_dormant",
    "deregister",
    "object_to_notice",
    "publish_notice",
    "register",
    "release_name",
    "reserve_name",
    "resume",
    "revoke",
    "withdraw_notice",
]
