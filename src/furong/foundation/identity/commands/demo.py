"""Demo accounts, as a pack's ``demo/accounts.yaml`` names them. Refused in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password

from furong.foundation.access.values import Actor, Assurance
from furong.foundation.audit.commands import command, current
from furong.foundation.identity import models
from furong.foundation.identity.errors import DemoRefusedError
from furong.foundation.identity.values import AccountKind, clean_username
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import queries as organization_queries
from furong.foundation.organizations.values import Name, today


@command("identity.create_demo_accounts")
def create_demo_accounts(
    *, spec: Mapping[str, Any], persons: Mapping[str, UUID], actor: Actor, now: datetime
) -> Sequence[str]:
    """Make the accounts of ``demo/accounts.yaml`` (read as plain values) and return their usernames.

    ``persons`` gives the person for each ``person`` key named there; a key it lacks leaves the account unbound. Repeating it
    makes what is missing and changes no password. Raises ``DemoRefusedError`` in production.
    """
    if settings.PRODUCTION:
        raise DemoRefusedError("Demo accounts share a published password; production makes none.")
    password = make_password(str(spec["password"]))
    names: list[str] = []
    for given in spec["accounts"]:
        username = clean_username(str(given["username"]))
        kind = AccountKind(given["kind"])
        person_id = persons.get(str(given.get("person", "")))
        row = models.Account.objects.filter(username=username).first()
        if row is None:
            row = models.Account(
                username=username,
                kind=kind,
                display_name=str(given["name"]),
                password=password,
                assurance=int(Assurance.REGISTERED if kind is AccountKind.RESIDENT else Assurance.IN_PERSON),
                created_at=now,
            )
            row.save(force_insert=True)
        if person_id is not None and row.person_id != person_id:
            row.person_id, row.assured_at = person_id, now
            row.assurance = max(row.assurance, int(Assurance.VERIFIED))
            row.save(update_fields=["person_id", "assured_at", "assurance"])
        if kind is AccountKind.STAFF:
            _seat(row.pk, given, actor, now)
        names.append(username)
    current().detail(accounts=names)
    return names


def _seat(account_id: UUID, given: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Put the account into the post, made on the way, unless it has one."""
    if organization_queries.posts_of_account(account_id=account_id, on=today(now)):
        return
    where = given["organization"]
    organization = organization_queries.get_responsible(
        department=str(where["department"]), division_code=str(where["division"])
    )
    posts = organization_queries.list_posts(organization_id=organization.id)
    post_id = next((post.id for post in posts if post.template_code == given["post"]), None)
    if post_id is None:
        post_id = organizations.create_post(
            organization_id=organization.id,
            title=Name(zh=""),
            template_code=str(given["post"]),
            actor=actor,
            now=now,
        )
    organizations.appoint(account_id=account_id, post_id=post_id, actor=actor, now=now)
