"""Rules about structure: where tokens go, wait, meet and end."""

from __future__ import annotations

from furong.domains.processes.values.rule import Rule
from furong.foundation.packs.values.findings import Severity

RULES: dict[str, Rule] = {
    "bpmn.default_unknown": Rule(
        "默认流 {ref} 不是从此元素引出的顺序流。",
        "The default flow {ref} does not leave this element.",
        "选择从此元素引出的顺序流作为默认流。",
        "Choose a flow that leaves this element.",
    ),
    "bpmn.start_missing": Rule(
        "流程没有开始事件。", "The process has no start event.", "添加一个开始事件。", "Add a start event."
    ),
    "bpmn.start_many": Rule(
        "流程有多个空开始事件。",
        "The process has several start events without a trigger.",
        "只保留一个空开始事件。",
        "Leave one start event without a trigger.",
    ),
    "bpmn.start_entered": Rule(
        "有顺序流进入开始事件。",
        "A flow leads into a start event.",
        "把该顺序流连到开始事件之后的元素。",
        "Lead the flow to an element after the start.",
    ),
    "bpmn.end_left": Rule(
        "有顺序流离开结束事件。",
        "A flow leads out of an end event.",
        "删除该顺序流。",
        "Remove the flow.",
    ),
    "bpmn.end_missing": Rule(
        "流程没有结束事件。", "The process has no end event.", "添加一个结束事件。", "Add an end event."
    ),
    "bpmn.no_way_out": Rule(
        "没有顺序流从此元素引出。",
        "No flow leaves this element.",
        "连接到下一个元素或结束事件。",
        "Connect it to the next element or to an end event.",
    ),
    "bpmn.unreachable": Rule(
        "从开始事件无法到达此元素。",
        "The element cannot be reached from a start event.",
        "连接该元素，或将其删除。",
        "Connect it, or remove it.",
    ),
    "bpmn.never_ends": Rule(
        "从此元素无法到达任何结束事件。",
        "No end event can be reached from this element.",
        "添加通往结束事件的路径。",
        "Add a way to an end event.",
    ),
    "bpmn.cycle_without_wait": Rule(
        "循环 {path} 中没有任何等待，会无休止地运行。",
        "The cycle {path} holds no wait and would run for ever.",
        "在循环中加入用户任务、定时器或消息。",
        "Put a user task, a timer or a message into the cycle.",
    ),
    "bpmn.join_never": Rule(
        "此网关可能永远等不齐：沿 {missing} 的令牌不会到来。",
        "This gateway can wait for ever: no token comes along {missing}.",
        "用同类型的网关分支与汇合，或把此处改为排他网关。",
        "Split and join with gateways of one kind, or make this one exclusive.",
    ),
    "bpmn.not_synchronised": Rule(
        "并行分支在此未经汇合就继续，后面的元素会运行两次。",
        "Parallel branches go on here without a join, so what follows runs twice.",
        "在此之前加入并行网关汇合。",
        "Join them with a parallel gateway before.",
        Severity.WARNING,
    ),
    "bpmn.tokens_multiply": Rule(
        "循环中的并行分支使令牌不断增多。",
        "A parallel split inside a cycle makes tokens multiply without end.",
        "在回到循环起点之前汇合各分支。",
        "Join the branches before the cycle goes back.",
    ),
    "bpmn.condition_missing": Rule(
        "网关有多条出口，此顺序流既无条件也非默认流。",
        "The gateway has several ways out, and this flow has neither a condition nor is it the default.",
        "填写条件，或设为默认流。",
        "Give it a condition, or make it the default.",
    ),
    "bpmn.condition_misplaced": Rule(
        "条件只能写在排他网关或包容网关引出的顺序流上。",
        "A condition stands on a flow that no exclusive or inclusive gateway sends out.",
        "在此之前加入排他网关。",
        "Put an exclusive gateway before it.",
    ),
    "bpmn.condition_on_default": Rule(
        "默认流带有条件，该条件不会被使用。",
        "The default flow has a condition, which is never asked.",
        "删除该条件。",
        "Remove the condition.",
        Severity.WARNING,
    ),
    "bpmn.boundary_host": Rule(
        "边界事件依附于 {host}，在那里永不触发。",
        "The boundary event sits on {host}, where it can never fire.",
        "把边界事件移到会等待的任务上。",
        "Move it to a task that waits.",
    ),
    "bpmn.boundary_entered": Rule(
        "有顺序流进入边界事件。",
        "A flow leads into a boundary event.",
        "删除该顺序流。",
        "Remove the flow.",
    ),
    "bpmn.event_gateway": Rule(
        "基于事件的网关之后是 {target}，只能是消息、定时器或接收任务，且只能由该网关进入。",
        "After the event-based gateway comes {target}; only messages, timers and receive tasks entered by it alone may.",
        "改为消息或定时器捕获事件。",
        "Use message or timer catch events there.",
    ),
    "bpmn.implicit_end": Rule(
        "没有顺序流从此元素引出，令牌在此结束。",
        "No flow leaves this element, so a token ends here.",
        "连接到下一个元素；确实到此为止的，添加结束事件。",
        "Connect it to the next element, or to an end event if this is where it ends.",
        Severity.WARNING,
    ),
    "bpmn.boundary_no_path": Rule(
        "没有顺序流从此边界事件引出。",
        "No flow leaves this boundary event.",
        "连接到事件发生后要做的元素。",
        "Connect it to what is to be done when the event happens.",
    ),
    "bpmn.boundary_never": Rule(
        "边界事件依附于 {host}，在那里永不触发。",
        "The boundary event sits on {host}, where it can never fire.",
        "把定时和消息移到会等待的任务上，错误移到会失败的任务上，升级移到子流程上。",
        "Move a timer or message to work that waits, an error to work that can fail, an escalation to a sub-process.",
        Severity.WARNING,
    ),
    "bpmn.event_sub_flow": Rule(
        "顺序流连接了事件子流程 {node}，它由事件启动。",
        "A flow is connected with the event sub-process {node}, which its event starts.",
        "删除该顺序流。",
        "Remove the flow.",
    ),
    "bpmn.compensation_flow": Rule(
        "顺序流连接了 {node}，补偿只由关联线连接。",
        "A flow is connected with {node}; compensation is connected by an association alone.",
        "删除该顺序流，用关联线连接补偿事件和补偿活动。",
        "Remove the flow, and draw an association from the compensation event to the activity.",
    ),
    "bpmn.cycle_computes": Rule(
        "循环 {path} 中没有等待，只有其中的计算能使它结束。",
        "The cycle {path} holds no wait; only what it computes can end it.",
        "确认其中的条件终会满足，或在循环中加入等待。",
        "Make sure that its condition is met some day, or put a wait into the cycle.",
        Severity.WARNING,
    ),
    "bpmn.markings_many": Rule(
        "流程的状态超过 {most} 个，网关未能全部检查。",
        "The process has more than {most} states, so its gateways were not all checked.",
        "把流程的一部分移入子流程。",
        "Move parts of it into sub-processes.",
        Severity.WARNING,
    ),
    "bpmn.message_unsent": Rule(
        "此文件中没有谁发送消息 {name}，它只能来自外部。",
        "Nobody in this file sends the message {name}, so it must come from outside.",
        "从发送它的泳池画消息流；由外部发送的，在 message 上写 furong:sender。",
        "Draw a message flow from the pool that sends it, or say with furong:sender on the message who outside does.",
        Severity.WARNING,
    ),
    "bpmn.error_uncaught": Rule(
        "错误 {code} 没有边界事件或事件子流程捕获，会成为故障。",
        "No boundary event and no event sub-process catches the error {code}, so it becomes an incident.",
        "在外层子流程上添加错误边界事件，或改用终止结束事件。",
        "Add an error boundary event to a sub-process around it, or use a terminate end event.",
        Severity.WARNING,
    ),
    "bpmn.never_thrown": Rule(
        "其中没有谁抛出 {code}，此事件永不发生。",
        "Nothing in there throws {code}, so this event never happens.",
        "更正代码，或删除此事件。",
        "Correct the code, or remove the event.",
        Severity.WARNING,
    ),
    "bpmn.never_waits": Rule(
        "其中没有任何等待，此事件永不发生。",
        "Nothing in there waits, so this event never happens.",
        "把事件移到会等待的地方，或将其删除。",
        "Move the event to where something waits, or remove it.",
        Severity.WARNING,
    ),
    "bpmn.compensation_nothing": Rule(
        "此补偿事件没有可补偿的活动。",
        "There is nothing that this compensation event could undo.",
        "给要补偿的活动添加补偿边界事件，或更正 activityRef。",
        "Add a compensation boundary event to what is to be undone, or correct activityRef.",
        Severity.WARNING,
    ),
    "bpmn.lane_empty": Rule(
        "泳道中没有元素。",
        "The lane has no elements.",
        "把元素放入泳道，或删除泳道。",
        "Put elements into it, or remove it.",
        Severity.WARNING,
    ),
}
