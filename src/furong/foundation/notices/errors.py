"""Refusals and faults of notices."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class MessageNotFound(Refusal):
    """No such message, or it is somebody else's."""

    code = "notices.not_found"
    message = "This message was not found."


class TemplateUnknownError(Fault):
    """A notice names a template that nobody registered, lacks one of its parameters, or addresses nobody."""

    code = "notices.template"


class ChannelError(Fault):
    """A channel did not take a notice; it is tried again."""

    code = "notices.channel"
