"""What runs inside an activity: sub-processes, called processes, and activities that are repeated.

The activity's token, its host, waits in the scope around; inside, a scope has tokens of its own. When none is left there, the
host goes on. Of a repeated activity one scope counts the runs and each run has one, in which its item and what it assigns are its
own.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from furong.domains.processes import catching, undoing, waits
from furong.domains.processes.errors import EngineError, StuckError
from furong.domains.processes.scopes import PartlyLoadedError, Scope, ScopeKind, Token
from furong.domains.processes.values.elements import CONTAINERS, NodeKind
from furong.domains.processes.values.graph import LoopRule, Node
from furong.domains.processes.variables import as_json

if TYPE_CHECKING:
    from furong.domains.processes.interpreter import Run

# More runs of one activity than this are a slip of the pen.
MOST_RUNS = 100_000


def open_scope(
    run: Run,
    *,
    parent: int,
    element: str,
    kind: ScopeKind,
    host: int = 0,
    data: dict[str, object] | None = None,
    variables: dict[str, object] | None = None,
) -> Scope:
    """Open a scope; its number is of the sequence that tokens share."""
    scope = Scope(run.number(), parent, element, kind, host, data=data or {}, variables=variables)
    run.scopes.add(scope)
    return scope


# --- sub-processes and called processes -------------------------------------------------------------------------------------


def go_inside(run: Run, token: Token, node: Node) -> None:
    """Enter a sub-process, an event sub-process or a call activity."""
    container = run.definition.containers.get(node.id)
    if container is None:
        raise StuckError("call_unknown", f"{node.id} calls a process that was not there when it was read.")
    variables: dict[str, object] | None = dict.fromkeys(container.own) if container.own else None
    kind = ScopeKind.INSIDE
    if node.kind is NodeKind.CALL_ACTIVITY:
        kind = ScopeKind.CALLED
        given = run.input(node, token.scope)
        variables = as_json(dict(run.context(token.scope)) if given is None else given)
    waits.arm(run, token, node)
    run.entered(token, node)
    scope = open_scope(run, parent=token.scope, element=node.id, kind=kind, host=token.number, variables=variables)
    catching.arm_event_subs(run, scope.number, node.id)
    for start in container.starts:
        run.ready.append(run.new_token(start, "", scope.number))
    if not container.starts:
        look_at(run, scope.number)  # nothing is drawn inside


def look_at(run: Run, number: int) -> None:
    """End a scope in which no token is left; the process itself is looked at when the step is over."""
    if not number or run.busy(number):
        return
    scope = run.scopes.get(number)
    if scope is None:
        return
    for token in run.held(number):
        run.silence(token)
    if scope.kind in {ScopeKind.UNDOING, ScopeKind.WITHDRAWAL}:
        undoing.go_on(run, scope)
        return
    if scope.kind not in {ScopeKind.INSIDE, ScopeKind.CALLED}:
        raise EngineError(f"The scope {number} of kind {scope.kind.name} has no token.")
    host, node = run.at(scope.host)
    if scope.kind is ScopeKind.CALLED:
        _give_back(run, scope, host, node)
    undoing.keep_or_remove(run, scope)
    run.leave(host, node, completed=True)
    if node.kind is NodeKind.EVENT_SUB_PROCESS:
        run.drop(host)
        look_at(run, host.scope)
    else:
        run.done(host, node)


def _give_back(run: Run, scope: Scope, host: Token, node: Node) -> None:
    """Give the caller what a called process has: ``furong:output``, or all of its variables."""
    given: dict[str, object] = dict(scope.variables or {})
    if node.output is not None:
        found = run.ask(node.output, scope.number)
        given = found if isinstance(found, dict) else {}
    run.assign({node.result: given} if node.result else given, host.scope)


def remove(run: Run, number: int) -> None:
    """Take a scope away, with those inside it that are over."""
    for inner in run.scopes.inside(number):
        remove(run, inner.number)
    run.scopes.take(number)


# --- cancelling -------------------------------------------------------------------------------------------------------------


def cancel_inside(run: Run, token: Token, node: Node) -> None:
    """Cancel everything that runs inside the activity at which ``token`` waits."""
    if node.kind not in CONTAINERS and node.loop is None and node.kind not in undoing.WAITS:
        return
    if not run.whole:
        raise PartlyLoadedError
    for scope in run.scopes.inside(token.scope):
        if scope.host == token.number and not scope.done:
            cancel_scopes(run, [scope.number])
            remove(run, scope.number)


def cancel_scopes(run: Run, numbers: Collection[int], *, silently: Collection[Token] = ()) -> None:
    """Cancel all tokens of scopes and of those inside them. Those that only just arrived somewhere have nothing to cancel.

    What was done in the scopes and can still be undone stays.
    """
    if not run.whole:
        _want_all(run, numbers)
    inside, kept = list(numbers), set(numbers)
    for number in inside:  # grows as it is walked
        for scope in run.scopes.inside(number):
            inside.append(scope.number)
            if scope.done and number in kept:
                kept.add(scope.number)
    arrived = {token.number for token in silently}
    for token in sorted((token for number in inside for token in run.held(number)), key=lambda one: -one.number):
        if run.listens(token):
            run.silence(token)
            continue
        if token.number not in arrived:
            run.leave(token, run.definition.nodes[token.element], completed=False)
        run.drop(token)
    for number in inside:
        if number not in kept and (gone := run.scopes.take(number)) is not None and gone.kind is ScopeKind.UNDOING:
            undoing.cut_short(run, gone)


def _want_all(run: Run, numbers: Collection[int]) -> None:
    """Ask for the whole instance unless scopes surely have nothing inside."""
    nodes = run.definition.nodes
    for token in (token for number in numbers for token in run.held(number)):
        node = nodes[token.element]
        if node.kind in CONTAINERS or node.loop is not None or node.kind in undoing.WAITS:
            raise PartlyLoadedError


# --- repetition -------------------------------------------------------------------------------------------------------------


def is_one_run(run: Run, token: Token) -> bool:
    """Say whether a token is a run of the repeated activity at which it stands, and not its host."""
    if not token.scope:
        return False
    scope = run.scopes.get(token.scope)
    return scope is not None and scope.kind is ScopeKind.ONE and scope.element == token.element


def repeat(run: Run, token: Token, node: Node) -> None:
    """Enter an activity that is repeated: all of its runs at once, or the first."""
    rule = node.loop
    assert rule is not None  # noqa: S101 - the caller looked
    items, total = _how_often(run, token, node, rule)
    waits.arm(run, token, node)
    data: dict[str, object] = {"total": total, "done": 0, "begun": 0}
    if items is not None and rule.sequential:
        data["items"] = items
    scope = open_scope(run, parent=token.scope, element=node.id, kind=ScopeKind.SEVERAL, host=token.number, data=data)
    if total == 0 or (rule.is_standard and rule.test_before and not _again(run, scope, rule, token.scope)):
        run.passed(token, node)
        _end_all(run, scope, node)
        return
    if rule.sequential:
        _begin(run, scope, node, rule, items[0] if items else None)
        return
    for number in range(cast(int, total)):
        _begin(run, scope, node, rule, items[number] if items is not None else None)


def _how_often(run: Run, token: Token, node: Node, rule: LoopRule) -> tuple[list[object] | None, int | None]:
    if rule.is_standard:
        return None, None
    if rule.collection is not None:
        found = run.evaluate(rule.collection, node.id, token.scope)
        items = as_json({"items": found})["items"]
        if not isinstance(items, list):
            raise StuckError("collection_no_list", f"The collection of {node.id} is not a list.")
        total = len(items)
    else:
        assert rule.cardinality is not None  # noqa: S101 - one of the two is there
        count = run.evaluate(rule.cardinality, node.id, token.scope)
        if isinstance(count, bool) or (not isinstance(count, int | str) and not hasattr(count, "to_integral_value")):
            raise StuckError("cardinality_no_number", f"The cardinality of {node.id} is not a whole number.")
        try:
            total = int(str(count))
        except ValueError as exc:
            raise StuckError("cardinality_no_number", f"The cardinality of {node.id} is not a whole number.") from exc
        items = None
    if not 0 <= total <= MOST_RUNS:
        raise StuckError("runs_too_many", f"{node.id} would run {total} times; at most {MOST_RUNS} are allowed.")
    return items, total


def _begin(run: Run, several: Scope, node: Node, rule: LoopRule, item: object) -> None:
    index = cast(int, several.data["begun"])
    several.data["begun"] = index + 1
    several.changed = True
    variables: dict[str, object] = {"loopCounter": index + 1}
    if rule.element:
        variables[rule.element] = item
    kind = ScopeKind.ONE
    one = open_scope(run, parent=several.number, element=node.id, kind=kind, data={"index": index}, variables=variables)
    run.ready.append(run.new_token(node.id, "", one.number))


def end_run(run: Run, token: Token, node: Node) -> None:
    """Count a run that was completed, and begin the next one or end them all."""
    rule = node.loop
    assert rule is not None  # noqa: S101 - the caller looked
    one = run.scopes[token.scope]
    several = run.scopes[one.parent]
    run.drop(token)
    several.data["done"] = finished = cast(int, several.data["done"]) + 1
    several.changed = True
    total = cast("int | None", several.data["total"])
    over = _is_over(run, one, several, rule, total)
    for inside in run.scopes.inside(one.number):
        run.scopes.hand_over(inside, several.parent)  # what this run did can still be undone
    if rule.output:
        own = {
            name: value for name, value in (one.variables or {}).items() if name not in {"loopCounter", rule.element}
        }
        result = own if rule.result is None else run.ask(rule.result, one.number)
        one.data["result"] = as_json({"result": result})["result"]
        one.done = one.changed = True
        one.variables = None
    else:
        if rule.is_standard:
            _keep_changes(run, one, several)
        run.scopes.take(one.number)
    if over or (total is not None and finished >= total):
        _end_all(run, several, node)
    elif rule.sequential:
        if rule.is_standard and not _again(run, several, rule, several.parent):
            _end_all(run, several, node)
            return
        items = cast("list[object] | None", several.data.get("items"))
        _begin(run, several, node, rule, items[cast(int, several.data["begun"])] if items is not None else None)


def _keep_changes(run: Run, one: Scope, several: Scope) -> None:
    """Of a standard loop each run goes on with what the last one assigned; only its counter is its own."""
    given = {name: value for name, value in (one.variables or {}).items() if name != "loopCounter"}
    run.assign(given, several.parent)


def _is_over(run: Run, one: Scope, several: Scope, rule: LoopRule, total: int | None) -> bool:
    if rule.until is None:
        return False
    finished, begun = cast(int, several.data["done"]), cast(int, several.data["begun"])
    found = run.ask(
        rule.until,
        one.number,
        numberOfInstances=total,
        numberOfCompletedInstances=finished,
        numberOfActiveInstances=begun - finished,
        numberOfTerminatedInstances=0,
    )
    return found is True


def _again(run: Run, several: Scope, rule: LoopRule, scope: int) -> bool:
    begun = cast(int, several.data["begun"])
    if begun >= (MOST_RUNS if rule.most is None else min(rule.most, MOST_RUNS)):
        return False
    return rule.while_ is None or run.ask(rule.while_, scope, loopCounter=begun) is True


def _end_all(run: Run, several: Scope, node: Node) -> None:
    """End a repeated activity: cancel what still runs, give the list of results, and let its host go on."""
    rule = node.loop
    assert rule is not None  # noqa: S101 - the caller looked
    finished, begun = cast(int, several.data["done"]), cast(int, several.data["begun"])
    if not run.whole and (begun > finished or (rule.output and begun > 1)):
        raise PartlyLoadedError
    host = run.tokens[several.host]
    if begun > finished:
        _cancel_runs(run, several)
    if rule.output:
        ended = [one for one in run.scopes.inside(several.number) if one.done]
        ended.sort(key=lambda one: cast(int, one.data["index"]))
        run.assign({rule.output: [one.data.get("result") for one in ended]}, several.parent)
    remove(run, several.number)
    run.leave(host, node, completed=True)
    if node.compensation:
        undoing.remember(run, host, node)
    run.go_on(host, node)


def _cancel_runs(run: Run, several: Scope) -> None:
    """Cancel the runs that are not done; those that are keep their results."""
    running = [one.number for one in run.scopes.inside(several.number) if not one.done]
    cancel_scopes(run, running)
    for number in running:
        remove(run, number)
