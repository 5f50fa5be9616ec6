"""Grants of a demo: made by the same commands as any others, signed in the name of both sides by the loading system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from furong.domains.catalogue import models
from furong.domains.catalogue.grants import granting, requesting
from furong.domains.catalogue.grants.values import GrantState, RequestState, Terms
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations


def load_grants(*, spec: Mapping[str, Any], actor: Actor, now: datetime) -> int:
    """Ask for, consent to and sign what a pack's ``demo/grants.yaml`` lists; gives how many are new.

    Each entry names ``resource``, ``department`` and ``division`` of the grantee, ``scenario``, ``legal_basis`` and the terms;
    ``until`` stops it earlier: ``request`` leaves it with the provider. Repeatable: who has asked for the same scenario before is
    left alone.
    """
    made = 0
    for entry in spec["grants"]:
        body = organizations.get_responsible(department=entry["department"], division_code=str(entry["division"]))
        asked = models.Request.objects.filter(organization_id=body.id, resource_code=entry["resource"])
        if asked.filter(scenario=entry["scenario"]).exists():
            continue
        asks = replace(actor, label="数据专员", organization_id=body.id, organization_label=body.name.zh)
        request_id = requesting.submit_request(
            resource_code=entry["resource"],
            terms=Terms.of_json({"days": 365, **entry["terms"]}),
            scenario=entry["scenario"],
            legal_basis=entry["legal_basis"],
            actor=asks,
            now=now,
        )
        made += 1
        if entry.get("until") == "request":
            continue
        request = models.Request.objects.get(id=request_id)
        provider = organizations.get_organization(organization_id=request.provider_organization_id)
        gives = replace(actor, label="数据专员", organization_id=provider.id, organization_label=provider.name.zh)
        while RequestState(request.state) in {RequestState.SUBMITTED, RequestState.WITH_AUTHORITY}:
            requesting.consent_request(request_id=request_id, actor=gives, now=now)
            request.refresh_from_db()
        grant = models.Grant.objects.get(request=request, parent=None)
        state = GrantState(grant.state)
        for side in (gives, asks):
            state = granting.sign_grant(grant_id=grant.id, actor=side, now=now)
        if state is not GrantState.ACTIVE:
            raise AssertionError("both sides have signed")
        request.refresh_from_db()
        if RequestState(request.state) is RequestState.CONSENTED:  # what passes outside the platform
            requesting.confirm_supply(request_id=request_id, actor=gives, now=now)
    return made
