"""Starts nested processes in a house: ``python -m tests.faults.nested INSTANCES``. Only a worker moves them: timers, messages.

Each runs a sub-process three times side by side; in every run a timer, then a message that the run sends to itself by way of a
job; a timer that does not interrupt beside it; in the end the runs' results are one list, and a called process waits once more.
"""

from __future__ import annotations

import sys

CODE = "nested_storm"
SECONDS = "<timerEventDefinition><timeDuration>PT{}S</timeDuration></timerEventDefinition>"
MESSAGE = '<messageEventDefinition messageRef="m"/>'


def drawing() -> bytes:
    """Give the diagram."""
    from tests.domains.processes.diagrams import bpmn
    from tests.domains.processes.drawing import process

    def wait(name: str, seconds: int) -> str:
        return f'<intermediateCatchEvent id="{name}">{SECONDS.format(seconds)}</intermediateCatchEvent>'

    inner = bpmn(
        f"""<startEvent id="s1"/>{wait("pause", 1)}
        <scriptTask id="name" furong:result="key"><script>business + "-" + string(n)</script></scriptTask>
        <parallelGateway id="p1"/>{wait("pre", 1)}
        <intermediateThrowEvent id="send" furong:correlation="key">{MESSAGE}</intermediateThrowEvent><endEvent id="e2"/>
        <receiveTask id="hear" messageRef="m" furong:correlation="key"/>{wait("rest", 1)}<endEvent id="e1"/>""",
        "s1 -> pause\npause -> name\nname -> p1\np1 -> hear\nhear -> rest\nrest -> e1\np1 -> pre\npre -> send\nsend -> e2",
    ).decode()
    body = "".join(inner.splitlines()[2:-2])
    repeated = (
        '<multiInstanceLoopCharacteristics furong:collection="[1, 2, 3]" furong:element="n" furong:output_collection="all" '
        'furong:output_element="n * 10"/>'
    )
    whole = bpmn(
        f"""<startEvent id="s"/><subProcess id="sub">{body}{repeated}</subProcess>
        <boundaryEvent id="soon" attachedToRef="sub" cancelActivity="false">{SECONDS.format(2)}</boundaryEvent><endEvent id="e3"/>
        <callActivity id="call" calledElement="q"/><endEvent id="e"/>""",
        "s -> sub\nsub -> call\ncall -> e\nsoon -> e3",
        code=CODE,
        more='<message id="m" name="nested_storm_told"/>',
    )
    called = process("q", "s5 -> t5 -> e5", wait("t5", 1))
    return whole.replace(b"</definitions>", called.encode() + b"</definitions>")


def start(instances: int) -> None:
    """Publish the process and start so many instances."""
    import django

    django.setup()
    from django.utils import timezone

    from furong.domains.processes import commands
    from furong.foundation.access.values import Actor

    now, actor = timezone.now(), Actor.system("tests")
    digest = commands.publish_definition(xml=drawing(), file="nested.bpmn", code=CODE, actor=actor, now=now)
    for number in range(instances):
        key = f"storm-{number}"
        commands.start_process(
            definition_digest=digest, business_key=key, variables={"business": key}, actor=actor, now=timezone.now()
        )


if __name__ == "__main__":
    start(int(sys.argv[1]))
