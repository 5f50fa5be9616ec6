"""What a check of a diagram can find: a stable code for each, with its sentence and its mend in both languages."""

from __future__ import annotations

from dataclasses import dataclass, field

from furong.foundation.packs.values.findings import Finding, Severity
from furong.foundation.packs.values.text import both


@dataclass(frozen=True, slots=True)
class Rule:
    zh: str
    en: str
    mend_zh: str
    mend_en: str
    severity: Severity = Severity.ERROR


RULES: dict[str, Rule] = {
    "bpmn.xml": Rule(
        "不是格式良好的 XML：{why}。",
        "This is not well-formed XML: {why}.",
        "用流程图工具重新导出该文件。",
        "Export the file again from the drawing tool.",
    ),
    "bpmn.doctype": Rule(
        "文件含有 DOCTYPE，实体不予展开。",
        "The file has a DOCTYPE; entities are never expanded.",
        "删除 DOCTYPE 声明。",
        "Remove the DOCTYPE declaration.",
    ),
    "bpmn.root": Rule(
        "根元素是 {tag}，不是 BPMN 2.0 的 definitions。",
        "The root element is {tag}, not definitions of BPMN 2.0.",
        "请提供 BPMN 2.0 文件。",
        "Give a BPMN 2.0 file.",
    ),
    "bpmn.no_process": Rule(
        "文件中没有可执行的流程。",
        "The file has no process that can run.",
        "添加 process 元素，或将其 isExecutable 设为 true。",
        'Add a process, or set its isExecutable to "true".',
    ),
    "bpmn.many_processes": Rule(
        "文件中有多个可执行流程：{names}。",
        "The file has several processes that can run: {names}.",
        '只保留一个 isExecutable="true"。',
        'Leave isExecutable="true" on one of them.',
    ),
    "bpmn.id_missing": Rule(
        "{tag} 没有 id。", "A {tag} has no id.", "为其设置唯一的 id。", "Give it an id of its own."
    ),
    "bpmn.id_twice": Rule(
        "id {id} 出现两次（首次在第 {first} 行）。",
        "The id {id} is used twice (first in line {first}).",
        "为其中一个改用新的 id。",
        "Give one of them another id.",
    ),
    "bpmn.element_refused": Rule(
        "元素 {tag} 尚不能运行（BPMN 2.0 第 {clause} 条）。",
        "The element {tag} cannot be run yet (BPMN 2.0 clause {clause}).",
        "改用 docs/reference/bpmn.md 中“可运行”的元素。",
        "Use elements that docs/reference/bpmn.md lists as run.",
    ),
    "bpmn.element_unknown": Rule(
        "元素 {tag} 不属于 BPMN 2.0 流程。",
        "The element {tag} does not belong to a process of BPMN 2.0.",
        "删除该元素，或移入 extensionElements。",
        "Remove it, or move it into extensionElements.",
    ),
    "bpmn.event_refused": Rule(
        "带 {definition} 的 {tag} 尚不能运行。",
        "A {tag} with {definition} cannot be run yet.",
        "改用 docs/reference/bpmn.md 中“可运行”的事件。",
        "Use events that docs/reference/bpmn.md lists as run.",
    ),
    "bpmn.event_many": Rule(
        "事件有多个定义，只能有一个。",
        "The event has several definitions; one is allowed.",
        "拆成多个事件。",
        "Split it into several events.",
    ),
    "bpmn.flow_dangling": Rule(
        "顺序流 {end} 指向不存在的元素 {ref}。",
        "The flow's {end} names {ref}, which is not in this process.",
        "把顺序流重新连接到元素上。",
        "Connect the flow to an element again.",
    ),
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
    "bpmn.feel": Rule(
        "{what} 不是有效的 FEEL 表达式：{why}",
        "The {what} is not valid FEEL: {why}",
        "按 DMN 1.5 的 FEEL 语法改写，例如 amount > 100。",
        "Write it in FEEL of DMN 1.5, such as amount > 100.",
    ),
    "bpmn.timer": Rule(
        "定时器无效：{why}",
        "The timer is not valid: {why}",
        "使用 ISO 8601 时长（P3D、PT12H）或日期（2026-03-01）。",
        "Use an ISO 8601 duration (P3D, PT12H) or date (2026-03-01).",
    ),
    "bpmn.message_missing": Rule(
        "没有给出消息，或消息 {ref} 未定义。",
        "No message is named, or the message {ref} is not defined.",
        "在 definitions 中定义 message 并引用它。",
        "Define a message in definitions and refer to it.",
    ),
    "bpmn.error_missing": Rule(
        "错误 {ref} 未定义。",
        "The error {ref} is not defined.",
        "在 definitions 中定义 error 并引用它。",
        "Define an error in definitions and refer to it.",
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
    "bpmn.escalation_missing": Rule(
        "升级 {ref} 没有定义。",
        "The escalation {ref} is not defined.",
        "在 definitions 下添加该 escalation。",
        "Add the escalation under definitions.",
    ),
    "bpmn.script_language": Rule(
        "脚本语言 {language} 不会执行；只执行 FEEL。",
        "A script in {language} is not run; FEEL alone is.",
        "用 FEEL 重写脚本，scriptFormat 设为 feel；或改为 serviceTask。",
        "Write it in FEEL and set scriptFormat to feel, or make it a service task.",
    ),
    "bpmn.loop_uncounted": Rule(
        "多实例活动既没有次数也没有集合。",
        "The multi-instance activity has neither a cardinality nor a collection.",
        "添加 loopCardinality，或 furong:collection（或 loopDataInputRef）。",
        "Add loopCardinality, or furong:collection (or loopDataInputRef).",
    ),
    "bpmn.loop_endless": Rule(
        "循环活动既没有条件也没有最多次数。",
        "The loop has neither a condition nor a maximum.",
        "添加 loopCondition 或 loopMaximum。",
        "Add loopCondition or loopMaximum.",
    ),
    "bpmn.call_unknown": Rule(
        "被调用的流程 {name} 既不在此文件中，也未提供。",
        "The process {name} that is called is neither in this file nor among those given.",
        "把该流程放在同一文件或同一目录中，或更正 calledElement。",
        "Put the process into this file or beside it, or correct calledElement.",
    ),
    "bpmn.call_recursive": Rule(
        "流程 {name} 直接或间接调用自己。",
        "The process {name} calls itself, directly or through others.",
        "用循环或消息代替自我调用。",
        "Use a loop or a message instead.",
    ),
    "bpmn.nested_deep": Rule(
        "子流程嵌套超过 {most} 层。",
        "Sub-processes are nested more than {most} deep.",
        "拆分流程。",
        "Divide the process.",
    ),
    "bpmn.sub_empty": Rule(
        "子流程中没有可以开始的元素。",
        "Nothing in the sub-process can begin.",
        "在其中添加开始事件。",
        "Add a start event inside.",
    ),
    "bpmn.event_sub_start": Rule(
        "事件子流程必须恰有一个开始事件（消息、定时、错误或升级）。",
        "An event sub-process has exactly one start event (message, timer, error or escalation).",
        "添加或更正其开始事件。",
        "Add or correct its start event.",
    ),
    "bpmn.link_missing": Rule(
        "没有名为 {name} 的链接捕获事件。",
        "There is no link catch event named {name}.",
        "添加同名的链接捕获事件。",
        "Add a link catch event of that name.",
    ),
    "bpmn.compensation_handler": Rule(
        "补偿边界事件没有恰好关联一个 isForCompensation 的活动。",
        "The compensation event is not associated with exactly one activity marked isForCompensation.",
        "用关联线连接补偿事件和补偿活动。",
        "Draw an association from the event to the compensating activity.",
    ),
    "furong.attribute_unknown": Rule(
        "属性 furong:{name} 不适用于此元素。",
        "The attribute furong:{name} means nothing on this element.",
        "参见 docs/reference/bpmn.md 中的扩展属性。",
        "See the extension attributes in docs/reference/bpmn.md.",
    ),
    "furong.attribute_value": Rule(
        "属性 furong:{name} 的值 {value} 无效：{why}",
        "The attribute furong:{name} has the value {value}: {why}",
        "参见 docs/reference/bpmn.md 中的扩展属性。",
        "See the extension attributes in docs/reference/bpmn.md.",
    ),
    "furong.handler_missing": Rule(
        "服务任务没有 furong:handler。",
        "The service task has no furong:handler.",
        '写明处理程序，例如 furong:handler="population.register_birth"。',
        'Name a handler, such as furong:handler="population.register_birth".',
    ),
    "furong.handler_unknown": Rule(
        "处理程序 {name} 未注册。",
        "No handler is registered by the name {name}.",
        "可用的有：{known}。",
        "Those that are: {known}.",
    ),
    "furong.decision_missing": Rule(
        "业务规则任务没有 furong:decision（形如 rules#decision）。",
        "The business rule task has no furong:decision of the form rules#decision.",
        "写明 DMN 文件与决策的 id。",
        "Name the DMN file and the id of the decision.",
    ),
    "furong.decision_unknown": Rule(
        "决策 {name} 不存在。",
        "There is no decision {name}.",
        "可用的有：{known}。",
        "Those that are: {known}.",
    ),
}


@dataclass(slots=True)
class Findings:
    """Collects what a check finds, so that one run says everything."""

    file: str
    found: list[Finding] = field(default_factory=list)

    def add(self, rule: str, *, line: int, element: str, **words: object) -> None:
        """Note that ``rule`` is broken at ``element`` in ``line``."""
        texts = RULES[rule]
        self.found.append(
            Finding(
                file=self.file,
                line=line,
                element=element,
                rule=rule,
                message=both(texts.zh.format(**words), texts.en.format(**words)),
                mend=both(texts.mend_zh.format(**words), texts.mend_en.format(**words)),
                severity=texts.severity,
            )
        )

    @property
    def has_errors(self) -> bool:
        return any(finding.is_error for finding in self.found)
