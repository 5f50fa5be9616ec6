"""Rules about the file and its elements: what is missing, unknown, in the wrong place, or cannot be run."""

from __future__ import annotations

from furong.domains.processes.values.rule import Rule

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
    "bpmn.resource_twice": Rule(
        "被调用的流程 {element_name} 所用的 {name} 与本流程的同名资源内容不同。",
        "The called process {element_name} needs a {name} that differs from the one of this process.",
        "给其中一个改名。",
        "Rename one of them.",
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
}
