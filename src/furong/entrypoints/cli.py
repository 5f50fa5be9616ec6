"""The command line: `furong COMMAND`. Each command is a function here or in the module it names; none holds a rule."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from furong import __version__
from furong.entrypoints.administering import account, add_account
from furong.entrypoints.counter import add_centre, centre
from furong.entrypoints.harvesting import add_harvest, harvest
from furong.entrypoints.matching import add_match
from furong.entrypoints.peopling import add_population, population
from furong.entrypoints.processing import add_process
from furong.entrypoints.searching import add_search


def _django() -> None:
    import django

    django.setup()


def _demo(args: argparse.Namespace) -> int:
    from furong.entrypoints import demo

    if args.check:
        from furong.entrypoints.demo_check import run_check

        return run_check(residents=args.residents)
    return demo.run(port=args.port, reset=args.reset, residents=args.residents)


def _web(args: argparse.Namespace) -> int:
    from furong.entrypoints.web import serve

    return serve(host=args.host, port=args.port, workers=args.workers, threads=args.threads)


def _worker(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints.worker import run

    return run(die_with_parent=args.die_with_parent)


def _migrate(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints.loading import migrate, reshape

    migrate(verbosity=1)
    reshape()
    return 0


def _load(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints.loading import load_everything, load_pack

    if args.demo_residents:
        load_everything(pack=args.pack, residents=args.demo_residents)
    else:
        load_pack(args.pack, allow_older=args.allow_older)
    return 0


def _check(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints import checking

    if args.project:
        return checking.check_project()
    if args.pack is None:
        print("furong check: name a pack's folder, or --project", file=sys.stderr)
        return 2
    return checking.check_pack_folder(args.pack)


def _audit(args: argparse.Namespace) -> int:
    if args.action == "verify" and args.file is not None and args.file.is_dir():
        # A gateway's log needs neither settings nor a database.
        from furong.entrypoints import exchange_log

        return exchange_log.verify(
            args.file, key=args.key, archives=args.archive, witnesses=args.witness, needed=args.needed
        )
    _django()
    from furong.entrypoints import auditing

    if args.action == "export":
        return auditing.export(args.file)
    return auditing.verify(args.file, key=args.key, head=args.head)


def _decide(args: argparse.Namespace) -> int:
    from furong.entrypoints import deciding

    return deciding.run(args)


def _pack(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints.loading import export_pack

    return export_pack(code=args.code, folder=args.folder)


def _process(args: argparse.Namespace) -> int:
    from furong.entrypoints import processing

    return processing.process(args)


def _openapi(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints import checking

    return checking.write_openapi() if args.write else checking.check_openapi()


def _messages(args: argparse.Namespace) -> int:
    _django()
    from furong.entrypoints import checking

    return checking.check_messages()


def _exchange(args: argparse.Namespace) -> int:
    from furong_link import cli_nation

    return cli_nation.main(args.words)


def _manage(args: argparse.Namespace) -> int:
    from django.core.management import execute_from_command_line

    execute_from_command_line(["furong manage", *args.words])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="furong", description="Furong 芙蓉, an open e-government platform.")
    parser.add_argument("--version", action="version", version=f"furong {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    demo = command("demo", _demo, "start everything on this machine, with invented residents")
    demo.add_argument("--port", type=int, default=None, help="the web address's port (default 8000)")
    demo.add_argument("--reset", action="store_true", help="throw the demo's data away and begin anew")
    demo.add_argument("--check", action="store_true", help="start on free ports, walk the newborn story, stop")
    demo.add_argument("--residents", type=int, default=20_000, help="how many invented residents (default 20,000)")

    web = command("web", _web, "serve the pages and the API")
    web.add_argument("--host", default="127.0.0.1")
    web.add_argument("--port", type=int, default=8000)
    web.add_argument("--workers", type=int, default=2)
    web.add_argument("--threads", type=int, default=8, help="requests one worker handles at once")

    worker = command("worker", _worker, "run jobs, events, timers and the audit's sealer")
    worker.add_argument("--die-with-parent", action="store_true", help=argparse.SUPPRESS)

    command("migrate", _migrate, "bring every database's tables up to date")

    load = command("load", _load, "import a pack (and invented residents, for a demo)")
    load.add_argument("pack", type=Path)
    load.add_argument("--demo-residents", type=int, default=0)
    load.add_argument("--allow-older", action="store_true", help="let definitions go back to earlier versions")

    check = command("check", _check, "check a pack before it is published: schema, ask-once, flows, rules")
    check.add_argument("pack", type=Path, nargs="?")
    check.add_argument("--project", action="store_true", help="migrations, OpenAPI and messages are up to date")

    decide = command("decide", _decide, "evaluate the decisions of a DMN file, or many cases")
    decide.add_argument("file", type=Path, nargs="?", help="the DMN file; with --cases, that of cases that name none")
    decide.add_argument("--decision", help="the decision or decision service to evaluate (default: every decision)")
    decide.add_argument("--input", help="a JSON object of inputs by name; @FILE reads a file, - the standard input")
    decide.add_argument("--cases", metavar="FILE", help="JSON lines of file, decision and input; - reads them in")
    decide.add_argument("--now", help="what now() and today() give (default: this moment)")

    audit = command("audit", _audit, "verify or export the audit log")
    audit.add_argument("action", choices=["verify", "export"])
    audit.add_argument(
        "file", type=Path, nargs="?", help="an exported log or a gateway's folder; without it, the databases themselves"
    )
    audit.add_argument("--key", type=Path, help="the sealer's or the gateway's public key, for a log from elsewhere")
    audit.add_argument("--head", type=Path, help="an earlier signed head that the log must still extend")
    audit.add_argument("--archive", type=Path, action="append", default=[], help="where a gateway's archived files are")
    audit.add_argument(
        "--witness", action="append", default=[], metavar="FILE=KEY", help="a witness's heads and its key"
    )
    audit.add_argument("--needed", type=int, default=0, metavar="K", help="so many witnesses must have co-signed")

    pack = command("pack", _pack, "write published definitions back to files")
    pack.add_argument("action", choices=["export"])
    pack.add_argument("code")
    pack.add_argument("folder", type=Path)

    add_process(commands, _process)
    add_account(commands, account)
    add_harvest(commands, harvest)
    add_population(commands, population)
    add_match(commands)
    add_centre(commands, centre)
    add_search(commands)

    openapi = command("openapi", _openapi, "compare the API's description with the committed one")
    openapi.add_argument("--write", action="store_true")
    command("messages", _messages, "find message ids without a zh-CN text")

    exchange = command("exchange", _exchange, "run the nation's twin node, or withdraw one of its grants")
    exchange.add_argument("words", nargs=argparse.REMAINDER, metavar="nation-twin|nation-withdraw FOLDER …")

    manage = command("manage", _manage, "Django's own commands (makemigrations, shell, …)")
    manage.add_argument("words", nargs=argparse.REMAINDER)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what goes wrong is one clear line, never a stack trace for a user's mistake."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")
    args = _parser().parse_args(argv)
    try:
        result: int = args.run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as exc:
        if not _told(exc):
            raise
        return 1
    return result


def _told(exc: Exception) -> bool:
    """Say what went wrong in one line, if it is something to say so; imported here, as most commands need none of it."""
    from django.db import OperationalError as ModelError
    from psycopg import OperationalError

    from furong.entrypoints.postgres import PostgresError
    from furong.foundation.codes.errors import Fault, Refusal

    if isinstance(exc, PostgresError | Fault):
        print(f"furong: {exc}", file=sys.stderr)
    elif isinstance(exc, Refusal):
        for finding in getattr(exc, "findings", ()):
            print(finding.format(), file=sys.stderr)
        print(f"furong: {exc} {exc.advice}".rstrip(), file=sys.stderr)
    elif isinstance(exc, ModelError | OperationalError):
        print(f"furong: a database does not answer: {str(exc).splitlines()[0]}", file=sys.stderr)
    else:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
