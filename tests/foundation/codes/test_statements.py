"""Statements that go past Django's layers keep what the layers guard."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from furong.foundation.codes.statements import first_row

pytestmark = pytest.mark.usefixtures("database")


def test_a_statement_is_part_of_the_transaction_that_is_open() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE counted (n int UNIQUE)")
    with transaction.atomic():
        first_row("INSERT INTO counted VALUES (%s)", [1])
        transaction.set_rollback(True)
    assert first_row("SELECT count(*) FROM counted", []) == (0,)


def test_a_transaction_that_will_be_rolled_back_takes_no_statement() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            first_row("SELECT 1", [])


def test_what_the_database_refuses_is_raised_as_django_names_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE counted (n int UNIQUE)")
    assert first_row("INSERT INTO counted VALUES (%s)", [1]) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        first_row("INSERT INTO counted VALUES (%s)", [1])
