"""The closures of unary tests: the cells of decision tables, and what stands behind ``in``."""

from __future__ import annotations

from collections.abc import Callable

from furong.foundation.feel.operators import INPUT, PLAIN, PYTHON, Env, Fn, Site, compared, run_of
from furong.foundation.feel.values import FeelRange, equal

Test = Callable[[Env, object], "bool | None"]


def anything(env: Env, value: object) -> bool | None:
    return True


def equals_constant(wanted: object) -> Test:
    found = type(wanted)

    def test(env: Env, value: object) -> bool | None:
        if type(value) is found:
            return value == wanted
        if isinstance(value, list):
            return None
        return False

    return test


def compare_test(sign: str, operand: Fn, site: Site) -> Test:
    if sign in ("=", "!="):
        return lambda env, value: compared(env, value, sign, operand(env), site)
    python = PYTHON[sign]

    def test(env: Env, value: object) -> bool | None:
        other = operand(env)
        found = type(value)
        if found is type(other) and found in PLAIN:
            return bool(python(value, other))  # type: ignore[arg-type]
        if value is None or other is None:
            return None
        return compared(env, value, sign, other, site)

    return test


def is_true(fn: Fn) -> Test:
    def test(env: Env, value: object) -> bool | None:
        before, env[INPUT] = env[INPUT], value
        try:
            holds = fn(env)
        finally:
            env[INPUT] = before
        return holds if isinstance(holds, bool) else None

    return test


def matches_value(fn: Fn, *, cell: bool, is_range: bool = False) -> Test:
    """A test that is an expression: a range includes, a list contains, anything else equals."""

    def test(env: Env, value: object) -> bool | None:
        wanted = fn(env)
        if wanted is None and is_range:
            return None  # the ends do not make a range, so nobody knows
        if isinstance(wanted, FeelRange) and not isinstance(value, FeelRange):
            return None if value is None else wanted.includes(value)
        if isinstance(wanted, list) and not isinstance(value, list):
            return _contains(env, wanted, value)
        if isinstance(wanted, list) and isinstance(value, list):
            run = run_of(env)
            return equal(wanted, value, run) or any(equal(one, value, run) for one in wanted)
        if cell and isinstance(wanted, bool) and not isinstance(value, bool):
            return wanted  # an expression about other variables, which holds or does not
        return equal(value, wanted, run_of(env)) or False

    return test


def _contains(env: Env, wanted: list[object], value: object) -> bool:
    run_of(env).spend(len(wanted))
    for one in wanted:
        if isinstance(one, FeelRange) and not isinstance(value, FeelRange):
            if one.includes(value):
                return True
        elif equal(one, value, run_of(env)):
            return True
    return False


def any_of(tests: tuple[Test, ...]) -> Test:
    def test(env: Env, value: object) -> bool | None:
        result: bool | None = False
        for one in tests:
            holds = one(env, value)
            if holds:
                return True
            if holds is None:
                result = None
        return result

    return test


def none_of(tests: tuple[Test, ...]) -> Test:
    some = any_of(tests)

    def test(env: Env, value: object) -> bool | None:
        holds = some(env, value)
        return None if holds is None else not holds

    return test


def in_tests(value: Fn, tests: tuple[Test, ...]) -> Fn:
    test = tests[0] if len(tests) == 1 else any_of(tests)
    return lambda env: test(env, value(env))
