"""`furong account create-administrator`: the first account of staff, made at the console before anybody can sign in."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from typing import TextIO

DEPARTMENT, DIVISION, POST = "data_authority", "", "data_authority.administrator"


def add_account(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: Callable[..., int]) -> None:
    """Describe the command to the parser."""
    text = "make the first administrator's account; the password is asked for, or read from standard input"
    sub = commands.add_parser("account", help=text, description=text)
    sub.add_argument("action", choices=["create-administrator"])
    sub.add_argument("username")
    sub.add_argument("--name", required=True, help="the name shown, as colleagues know the person")
    sub.add_argument("--department", default=DEPARTMENT, help=f"role of the department (default {DEPARTMENT})")
    sub.add_argument(
        "--division", default=DIVISION, help="code of its division (default: the top of the pack's divisions)"
    )
    sub.add_argument("--post", default=POST, help=f"kind of the post (default {POST})")
    sub.set_defaults(run=run)


def account(args: argparse.Namespace) -> int:
    """Make the account in its post. A second one is made in the workbench: the command refuses when there is one."""
    import django

    django.setup()
    from furong.foundation.access.values import Actor
    from furong.foundation.identity.commands.accounts import create_first_administrator

    password = read_password(sys.stdin)
    if password is None:
        print("furong account: the two passwords differ; nothing was made", file=sys.stderr)
        return 1
    from django.utils import timezone

    made = create_first_administrator(
        username=args.username,
        display_name=args.name,
        password=password,
        department=args.department,
        division_code=args.division,
        post_template=args.post,
        actor=Actor.system("furong account create-administrator"),
        now=timezone.now(),
    )
    print(f"{args.username}: {made.organization} · {made.post}")
    print("The password is changed at the first sign-in, and the second factor is set up then.")
    return 0


def read_password(stdin: TextIO) -> str | None:
    """Ask for the password twice on a terminal, else read one line; never from the arguments, which others can list."""
    if not stdin.isatty():
        return stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    return first if first == getpass.getpass("Once more: ") else None
