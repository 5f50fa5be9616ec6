"""Why a message is refused, and what is a fault: one code for each cause, with the HTTP status a gateway answers with."""

from __future__ import annotations

from dataclasses import dataclass

# Code → (HTTP status, title). The code names the cause; a title holds no personal data.
REFUSALS: dict[str, tuple[int, str]] = {
    # The wire.
    "malformed_request": (400, "The bytes are not one HTTP/1.1 request of the profile."),
    "ambiguous_length": (
        400,
        "The length of the content is stated twice, or in a form that two readers may read apart.",
    ),
    "length_required": (411, "The content has no Content-Length; chunked requests are outside the profile."),
    "head_too_large": (431, "The request line and the header fields are larger than the gateway allows."),
    "content_too_large": (413, "The content is larger than the gateway allows."),
    "request_timeout": (408, "The request did not arrive whole in time."),
    "method_not_allowed": (405, "The method is outside the profile."),
    "malformed_target": (400, "The path is not in its one canonical form (dots, empty segments, hidden separators)."),
    # The signature.
    "signature_missing": (401, "The message carries no signature."),
    "signature_malformed": (400, "The signature fields are not valid Structured Fields."),
    "signature_outside_profile": (400, "The signature covers other components or parameters than the profile fixes."),
    "digest_missing": (400, "The message carries no Content-Digest."),
    "digest_malformed": (400, "The Content-Digest is not the one digest of the profile."),
    "digest_mismatch": (400, "The content is not what its digest says."),
    "key_unknown": (401, "No member has this key."),
    "key_not_valid": (401, "The key is not valid at this time, or was revoked."),
    "member_suspended": (403, "The member is suspended."),
    "algorithm_mismatch": (401, "The key is of another algorithm than the signature says."),
    "signature_invalid": (401, "The signature does not fit the message."),
    "wrong_gateway": (421, "The message was signed for another gateway."),
    "clock_skewed": (401, "The message's time is too far from the gateway's clock."),
    "replayed": (409, "This nonce was already used."),
    "replay_guard_full": (503, "The gateway remembers as many nonces as it can; try again in a minute."),
    # The grant.
    "grant_missing": (400, "The message names no grant."),
    "grant_unknown": (403, "There is no such grant."),
    "grant_of_another": (403, "The grant was given to another member."),
    "grant_not_valid": (403, "The grant is not valid at this time, or was withdrawn."),
    "service_not_granted": (403, "The grant is for another service."),
    "method_not_granted": (403, "The grant does not include this method."),
    "path_not_granted": (403, "The grant does not include this path."),
    "quota_exhausted": (429, "The grant's quota is used up."),
    "row_out_of_scope": (403, "The row is outside the grant's scope."),
    "configuration_expired": (503, "The gateway's signed configuration is too old to decide by."),
    # Files and events.
    "not_the_provider": (403, "This address is for the service's own provider, under the word provider as grant."),
    "event_malformed": (400, "The content is not one CloudEvent of the profile, or a batch of them."),
    "event_differs": (409, "There is another event with this source and id."),
    "events_unwritable": (503, "The log of events cannot be written or read, so nothing is taken or given."),
    "version_unknown": (404, "Nothing is published at this version in this format."),
    "version_exists": (409, "Another file is published at this version already; versions do not change."),
    "transfer_unknown": (410, "There is no such transfer, or it is over; open another."),
    "terms_changed": (409, "The grant's fields or rows changed since the transfer began; open another."),
    "wrong_offset": (416, "This is not where the file goes on."),
    "file_preparing": (503, "The grant's fields and rows are being applied to the file; ask again."),
    "file_malformed": (422, "The file is not in the format that it should be in."),
    "file_changed": (500, "The file on the gateway's disk is not the one that was published."),
    "file_erased": (410, "The file was erased with the key of its partition; its digest is still on record."),
    "no_room": (507, "The gateway's disk has no room for this."),
    "store_unusable": (503, "The gateway's store of files cannot be read or written."),
    "endpoint_not_allowed": (403, "The operator's configuration does not list this endpoint for the member."),
    # The provider and the gateway itself.
    "service_unknown": (404, "This gateway has no such service."),
    "provider_unreachable": (502, "The provider's system could not be reached."),
    "provider_timeout": (504, "The provider's system did not answer in time."),
    "provider_malformed": (502, "The provider's system did not answer in HTTP, or its answer is too large."),
    "provider_not_filterable": (
        502,
        "The provider's answer has no rows that the grant's field rules could be applied to.",
    ),
    "provider_refused": (502, "The provider's system refused the request or failed."),
    # Between gateways.
    "not_own_system": (403, "This gateway asks other gateways for its own member's systems only."),
    "peer_unknown": (502, "The provider's gateway has no address, key or certificate in the configuration."),
    "peer_unreachable": (502, "The provider's gateway could not be reached."),
    "peer_timeout": (504, "The provider's gateway did not answer in time."),
    "peer_malformed": (502, "The provider's gateway did not answer in HTTP, or its answer is too large."),
    "peer_reply_unverified": (502, "The reply of the provider's gateway cannot be trusted, so it is not passed on."),
    "peer_refused": (502, "The provider's gateway refused for a cause that this gateway does not know."),
    "certificate_missing": (401, "A gateway shows its certificate here, and none was shown."),
    "certificate_unknown": (401, "The certificate is of no gateway of the configuration."),
    "certificate_not_valid": (401, "The certificate has expired, or is not valid yet."),
    "handshake_failed": (400, "The TLS handshake failed: another protocol, version or cipher, or nothing came."),
    "certificate_of_another": (401, "The certificate is of another gateway than the key that signed."),
    "evidence_unwritable": (503, "The gateway cannot write its evidence, so it serves nothing."),
    "overloaded": (503, "The gateway has as many messages in hand as it can hold."),
    "not_found": (404, "There is nothing here."),
    "gateway_failed": (500, "The gateway failed while it worked on the message; it is in its log."),
}

# What waiting mends, so that clients of files and events try again: a gateway or a link that is away, or full.
AWAY = frozenset(
    {"overloaded", "evidence_unwritable", "store_unusable", "replay_guard_full", "peer_unreachable", "peer_timeout"}
)


class Refusal(Exception):  # noqa: N818 - a fact for the sender, no fault
    """A message was refused for a cause that its sender, or the provider, can act on. ``code`` is a key of `REFUSALS`."""

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, retry_after_seconds: int | None = None
    ) -> None:
        default, title = REFUSALS[code]
        super().__init__(f"{code}: {detail or title}")
        self.code = code
        self.detail = detail
        self.status = status or default
        self.title = title
        self.retry_after_seconds = retry_after_seconds


class LinkError(Exception):
    """Something that the operator of a gateway, or the owner of a key, must put right."""

    code = "link"


class KeyFileError(LinkError):
    """A key could not be read or is not of its algorithm."""

    code = "key_unreadable"


class LibcryptoError(LinkError):
    """OpenSSL's libcrypto is missing here, or refused an operation."""

    code = "libcrypto"


class ConfigurationError(LinkError):
    """A configuration is not signed by the operator, older than the one held, or does not hold together."""

    code = "configuration"


class EvidenceError(LinkError):
    """The evidence could not be written, or what is on disk is not what was written."""

    code = "evidence"


class UnverifiedReplyError(LinkError):
    """A reply cannot be trusted: unsigned, wrongly signed, or signed for another request. ``code_seen`` is what it claims."""

    code = "reply_unverified"

    def __init__(self, message: str, *, code_seen: str = "") -> None:
        super().__init__(message)
        self.code_seen = code_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An RFC 9457 problem as it crosses the wire."""

    status: int
    code: str
    title: str
    detail: str = ""

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {
            "type": f"urn:furong:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail:
            found["detail"] = self.detail
        return found
