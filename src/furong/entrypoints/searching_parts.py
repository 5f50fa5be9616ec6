"""Actions of `furong search` that live in modules of their own."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from furong.entrypoints.judging import add_eval
from furong.entrypoints.page_importing import add_import

PARTS: tuple[Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None], ...] = (add_import, add_eval)
