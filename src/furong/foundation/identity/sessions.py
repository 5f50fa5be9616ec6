"""The session engine (``SESSION_ENGINE``): one row a browser, read together with who is signed in, in one statement.

The cookie's key is kept as SHA-256 only. A session whose account was closed, or whose password has changed since, is no session.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from furong.foundation.access.values import Assurance, Principal
from furong.foundation.codes.ids import new_id
from furong.foundation.codes.statements import first_row
from furong.foundation.identity.values import AccountKind, SignedIn, digest_of_key
from furong.foundation.organizations.queries import SEAT_OF_ACCOUNT
from furong.foundation.organizations.values import today

LABEL = "device"  # in the session's data; kept in a column so that the list of devices can show it
SEEN_EVERY = timedelta(minutes=1)

_LOAD = f"""
SELECT s.id, s.data::text, s.account_id, s.last_seen_at,
       a.id, a.kind, a.display_name, a.person_id, a.assurance, a.must_change_password,
       seat.post_id, seat.title_zh, seat.organization_id, seat.organization_label, seat.division_code,
       m.id, m.principal_kind, m.principal_id, m.principal_label
  FROM identity_session s
  LEFT JOIN identity_account a
         ON a.id = s.account_id AND a.is_active AND a.credentials_version = s.credentials_version
  {SEAT_OF_ACCOUNT.format(account="CASE WHEN a.kind = 'staff' THEN a.id END", post="s.post_id")}
  LEFT JOIN identity_mandate m
         ON m.id = s.mandate_id AND m.agent_id = a.id AND m.revoked_at IS NULL
        AND m.from_on <= %s AND (m.until_on IS NULL OR m.until_on > %s)
 WHERE s.digest = %s AND s.expires_at > %s
"""

_INSERT = """
INSERT INTO identity_session (digest, id, data, account_id, credentials_version, label, created_at, last_seen_at, expires_at)
VALUES (%s, %s, %s::jsonb, %s, coalesce((SELECT credentials_version FROM identity_account WHERE id = %s), 0), %s, %s, %s, %s)
"""

# A session that changes hands takes the new account's version and loses the old one's post and mandate.
_UPDATE = """
UPDATE identity_session SET data = %s::jsonb, label = %s, expires_at = %s, account_id = %s,
    credentials_version = CASE WHEN account_id IS DISTINCT FROM %s
        THEN coalesce((SELECT credentials_version FROM identity_account WHERE id = %s), 0) ELSE credentials_version END,
    post_id = CASE WHEN account_id IS DISTINCT FROM %s THEN NULL ELSE post_id END,
    mandate_id = CASE WHEN account_id IS DISTINCT FROM %s THEN NULL ELSE mandate_id END
 WHERE digest = %s
"""


class SessionStore(SessionBase):
    """Sessions in ``identity_session``; ``signed_in`` is who they belong to."""

    _signed_in: SignedIn | None = None

    @property
    def signed_in(self) -> SignedIn | None:
        """Who is signed in, from the read that loaded the session; None for a stranger."""
        self._get_session()  # type: ignore[attr-defined]  # Django's own; the stubs lack it
        return self._signed_in

    @property
    def digest(self) -> str:
        """What the session's row is kept under; empty without a key."""
        return digest_of_key(self.session_key) if self.session_key else ""

    def load(self) -> dict[str, Any]:
        """Read the session, or give an empty one and forget the key when there is none."""
        now = timezone.now()
        day = today(now)
        row = first_row(_LOAD, [day, day, day, day, self.digest, now])
        if row is None or (row[2] is not None and row[4] is None):
            self._session_key = None
            return {}
        if now - row[3] >= SEEN_EVERY:
            self._seen(now)
        self._signed_in = _signed_in(row)
        data: dict[str, Any] = json.loads(row[1])
        return data

    def _seen(self, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE identity_session SET last_seen_at = %s, expires_at = greatest(expires_at, %s) WHERE digest = %s",
                [now, now + timedelta(seconds=self.get_session_cookie_age()), self.digest],
            )

    def exists(self, session_key: str) -> bool:
        """Whether a row is kept for the key."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM identity_session WHERE digest = %s", [digest_of_key(session_key)])
            return cursor.fetchone() is not None

    def create(self) -> None:
        """Make a row under a new key."""
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Write the session. Raises ``UpdateError`` when it was ended meanwhile, and ``CreateError`` when the key is taken."""
        if self.session_key is None:
            self.create()
            return
        data = dict(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        text, label = json.dumps(data, ensure_ascii=False), str(data.get(LABEL, ""))[:100]
        account = UUID(data[SESSION_KEY]) if data.get(SESSION_KEY) else None
        now = timezone.now()
        expires = self.get_expiry_date(modification=now)
        with connection.cursor() as cursor:
            if must_create:
                try:
                    with transaction.atomic():
                        cursor.execute(
                            _INSERT,
                            [self.digest, new_id(), text, account, account, label, now, now, expires],
                        )
                except IntegrityError as exc:
                    raise CreateError from exc
                return
            cursor.execute(_UPDATE, [text, label, expires, account, account, account, account, account, self.digest])
            if cursor.rowcount == 0:
                raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """End the session of the key, this one without a key."""
        key = session_key or self.session_key
        if key:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM identity_session WHERE digest = %s", [digest_of_key(key)])

    @classmethod
    def clear_expired(cls) -> None:
        """Delete sessions that have expired."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM identity_session WHERE expires_at <= %s", [timezone.now()])


def _signed_in(row: tuple[Any, ...]) -> SignedIn | None:
    if row[4] is None:
        return None
    return SignedIn(
        session_id=row[0],
        account_id=row[4],
        kind=AccountKind(row[5]),
        display_name=row[6],
        person_id=row[7],
        assurance=Assurance(row[8]),
        must_change_password=row[9],
        post_id=row[10],
        post_title=row[11] or "",
        organization_id=row[12],
        organization_label=row[13] or "",
        division_code=row[14] or "",
        principal=Principal(kind=row[16], id=row[17], mandate_id=row[15]) if row[15] else None,
        principal_label=row[18] or "",
    )
