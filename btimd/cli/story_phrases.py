# ruff: noqa: RUF001, E501
#  Chinese has its own punctuation; sentences stand whole on their lines
"""The words of a diagnosis' story, in English and in Chinese: whole sentences with places for what differs."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from btimd.model.diagnosis import FactKind, NodePart
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.verdict import VerdictStatus

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

SENTENCES: Final[Mapping[str, Mapping[Language, str]]] = {
    "and": {"en": ", ", "zh": "、"},
    "title": {"en": "Diagnosis {id}", "zh": "诊断 {id}"},
    "felt": {"en": "What was felt", "zh": "用户感受到的现象"},
    "felt_line": {"en": "{node} {phrase} since {since}: {text}{where}", "zh": "{node} {phrase}，始于 {since}：{text}{where}"},
    "felt_where": {"en": " (users of {region})", "zh": "（{region} 的用户）"},
    "felt_nothing": {"en": "the symptoms are not on record", "zh": "没有现象记录"},
    "known": {"en": "What was known without asking", "zh": "无需探测已知的情况"},
    "known_answer": {
        "en": "{check} of {node} was {health}, {age} old: {detail}",
        "zh": "{node} 的检查 {check} 为{health}（{age}前）：{detail}",
    },
    "known_sign": {"en": "seen at {node} at {at}: {text} ({health})", "zh": "{at} 在 {node} 观察到：{text}（{health}）"},
    "known_change": {"en": "{node} was changed at {at}: {text}", "zh": "{node} 于 {at} 有变更：{text}"},
    "known_earlier": {"en": "{node} was a cause at {at}", "zh": "{node} 于 {at} 曾是故障原因"},
    "known_nothing": {"en": "nothing that was fresh enough to count", "zh": "没有足够新的信息"},
    "first": {"en": "Likeliest at that moment: {suspects}", "zh": "此时最可疑：{suspects}"},
    "batch": {
        "en": "Round {number}: {count} asked at the same moment, {after} after the start",
        "zh": "第 {number} 轮：开始后 {after} 同时探测 {count} 项",
    },
    "batch_unknown": {"en": "Earlier questions: {count}", "zh": "此前的探测：{count} 项"},
    "asked": {"en": "{check} of {node}: {health} - {detail}", "zh": "{node} 的 {check}：{health} - {detail}"},
    "why": {"en": "asked because it {why}", "zh": "原因：{why}"},
    "leads": {"en": "=> {node} leads with {probability}{before}", "zh": "=> {node} 领先，概率 {probability}{before}"},
    "leads_before": {"en": " (it had {probability})", "zh": "（此前 {probability}）"},
    "less": {"en": "   nearly ruled out: {nodes}", "zh": "   基本排除：{nodes}"},
    "more": {"en": "   likelier than before: {nodes}", "zh": "   嫌疑上升：{nodes}"},
    "verdict": {"en": "The verdict", "zh": "结论"},
    "sure": {
        "en": "{status}, {confidence} sure, {seconds} after the first bad sample, with {probes} probes of load {cost}",
        "zh": "{status}，可信度 {confidence}，距首个异常样本 {seconds}，探测 {probes} 次，负载 {cost}",
    },
    "ranked": {"en": "In the end: {suspects}", "zh": "最终排名：{suspects}"},
    "weighed": {"en": "What speaks for it and against it", "zh": "支持与反对的证据"},
    "for": {"en": "for it, {times}: {check} of {node} {health}", "zh": "支持（{times}）：{node} 的 {check} {health}"},
    "against": {"en": "against it, {times}: {check} of {node} {health}", "zh": "反对（{times}）：{node} 的 {check} {health}"},
    "times": {"en": "{number} times", "zh": "{number} 倍"},
    "weighed_nothing": {
        "en": "no single answer told the cause from the runner-up",
        "zh": "没有单独一项结果能把原因与次位嫌疑区分开",
    },
    "not_asked": {"en": "What was not looked at", "zh": "没有检查的部分"},
    "not_asked_line": {"en": "{nodes}: {why}", "zh": "{nodes}：{why}"},
    "not_asked_nothing": {"en": "nothing near the cause was left out", "zh": "原因附近没有遗漏"},
    "second": {"en": "Other causes at the same time", "zh": "同时存在的其他原因"},
    "second_line": {"en": "{node}: it has a verdict of its own", "zh": "{node}：另有单独的结论"},
    "next": {"en": "What happens next", "zh": "后续"},
    "again": {"en": "Made again now", "zh": "现在重做"},
    "again_same": {"en": "the same verdict", "zh": "结论相同"},
    "again_other": {"en": "not the same: {difference}", "zh": "结论不同：{difference}"},
    "again_never": {
        "en": "it cannot be made again: more happened than was kept",
        "zh": "无法重做：当时发生的事件超过了保留上限",
    },
    "down": {"en": "{businesses} hit", "zh": "受影响业务：{businesses}"},
    "through": {"en": " through {path}", "zh": "，途经 {path}"},
    "summary_cause": {"en": "{cause} {phrase}; {hit}", "zh": "{cause} {phrase}；{hit}"},
    "summary_list": {"en": "not certain, most likely {suspects}; {hit}", "zh": "不确定，最可能是 {suspects}；{hit}"},
    "summary_unknown": {"en": "the cause near {nodes} is not known; {hit}", "zh": "{nodes} 附近的故障原因未知；{hit}"},
    "summary_probes": {
        "en": "probes of {nodes} fail, but users are served",
        "zh": "对 {nodes} 的探测失败，但用户仍得到服务：故障在探测自身的路径上",
    },
    "left_out": {"en": "{count} more nodes are not shown", "zh": "另有 {count} 个节点未画出"},
    "unseen": {"en": "not looked at: {nodes}", "zh": "未检查：{nodes}"},
    "see_above": {"en": "see above", "zh": "见上"},
    "bad": {"en": "{count} bad", "zh": "{count} 项异常"},
    "good": {"en": "{count} good", "zh": "{count} 项正常"},
    "legend_path": {"en": "way from the symptom to the cause", "zh": "从现象到原因的路径"},
    "legend_needs": {"en": "needs", "zh": "依赖"},
    "picture": {"en": "The part of the model that it went through", "zh": "诊断经过的模型部分"},
}  # fmt: skip

STATUSES: Final[Mapping[VerdictStatus, Mapping[Language, str]]] = {
    VerdictStatus.CAUSE_FOUND: {"en": "cause found", "zh": "已找到原因"},
    VerdictStatus.SHORTLIST: {"en": "short list", "zh": "候选名单"},
    VerdictStatus.UNKNOWN: {"en": "not known", "zh": "原因未知"},
    VerdictStatus.NOT_CONFIRMED: {"en": "not confirmed", "zh": "未证实"},
}
NEXT: Final[Mapping[VerdictStatus, Mapping[Language, str]]] = {
    VerdictStatus.CAUSE_FOUND: {
        "en": "An incident on the cause. Later symptoms of it join this verdict. Once nobody feels it any more, the checks that "
        "convicted it are asked again; when they are good, the cause counts as gone.",
        "zh": "在原因节点上建立事件单。其后的现象并入本结论。现象消失后重新检查定罪的项目，全部正常才算恢复。",
    },
    VerdictStatus.SHORTLIST: {
        "en": "An incident with the suspects, and the search goes on in the background; this verdict grows if it finds more.",
        "zh": "建立列出嫌疑的事件单，并在后台继续查找；有新发现时本结论会更新。",
    },
    VerdictStatus.UNKNOWN: {
        "en": "An incident near the symptom, and the search goes on in the background. Look at what was not looked at, and "
        "whether the model lacks something.",
        "zh": "在现象附近建立事件单，并在后台继续查找。请查看未检查的部分以及模型是否有遗漏。",
    },
    VerdictStatus.NOT_CONFIRMED: {
        "en": "No incident. Look at the way from btimd to its targets: its switch port, a firewall rule for it.",
        "zh": "不建事件单。请检查 btimd 到目标的路径：交换机端口、防火墙规则。",
    },
}
HEALTHS: Final[Mapping[Health, Mapping[Language, str]]] = {
    Health.GOOD: {"en": "good", "zh": "正常"},
    Health.BAD: {"en": "bad", "zh": "异常"},
    Health.UNKNOWN: {"en": "no answer", "zh": "无法得知"},
}
PARTS: Final[Mapping[NodePart, Mapping[Language, str]]] = {
    NodePart.CAUSE: {"en": "cause", "zh": "原因"},
    NodePart.SYMPTOM: {"en": "symptom", "zh": "现象"},
    NodePart.PATH: {"en": "on the way", "zh": "在路径上"},
    NodePart.AFFECTED: {"en": "affected", "zh": "受影响"},
    NodePart.SUSPECT: {"en": "suspect", "zh": "嫌疑"},
    NodePart.CLEARED: {"en": "cleared", "zh": "已排除"},
    NodePart.UNSEEN: {"en": "not looked at", "zh": "未检查"},
}
KINDS: Final[Mapping[NodeKind, str]] = {
    NodeKind.BUSINESS: "业务",
    NodeKind.USER: "用户",
    NodeKind.NETWORK: "网络",
    NodeKind.APPLICATION: "应用",
    NodeKind.MIDDLEWARE: "中间件",
    NodeKind.DATABASE: "数据库",
    NodeKind.SHARED: "公共服务",
    NodeKind.OS: "操作系统",
    NodeKind.HOST: "主机",
    NodeKind.FACILITY: "设施",
}
FACTS: Final[Mapping[FactKind, str]] = {
    FactKind.SIGN: "known_sign",
    FactKind.CHANGE: "known_change",
    FactKind.EARLIER: "known_earlier",
}
_ERRORS: Final[Mapping[ErrorClass, str]] = {
    ErrorClass.REFUSED: "拒绝连接",
    ErrorClass.TIMEOUT: "未及时应答",
    ErrorClass.UNREACHABLE: "不可达",
    ErrorClass.RESET: "中断连接",
    ErrorClass.NO_ANSWER: "接受连接但不应答",
    ErrorClass.SLOW: "应答过慢",
    ErrorClass.WRONG_ANSWER: "应答错误",
    ErrorClass.NAME_ERROR: "无法解析",
    ErrorClass.PROTOCOL_ERROR: "违反协议",
    ErrorClass.EXCEEDED: "超出限度",
    ErrorClass.CERTIFICATE: "证书不被接受",
    ErrorClass.UNUSUAL: "使用情况异常",
}
_REASONS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"splits (\d+) suspects \((.+) or the others\): expected ([\d.]+) bit for cost ([\d.e+]+)"),
     r"可把 \1 个嫌疑分开（\2 与其余），预期 \3 比特，代价 \4"),
    (re.compile(r"splits (\d+) suspects: expected ([\d.]+) bit for cost ([\d.e+]+)"),
     r"可把 \1 个嫌疑分开，预期 \2 比特，代价 \3"),
    (re.compile(r"settles whether it is (.+), for cost ([\d.e+]+)"), r"可确定是否为 \1，代价 \2"),
    (re.compile(r"it has no check of its own"), "没有自己的检查项"),
    (re.compile(r"its answer did not come in time"), "结果没有及时返回"),
    (re.compile(r"it would not have told more about the cause"), "对判断原因没有更多帮助"),
    (re.compile(r"it could not be asked"), "无法探测"),
)  # fmt: skip


def say(language: Language, sentence: str, **what: object) -> str:
    """Return a sentence with its places filled."""
    return SENTENCES[sentence][language].format(**what)


def phrase(language: Language, error: ErrorClass) -> str:
    """Return what a component does that has this trouble."""
    return error.phrase if language == "en" else _ERRORS.get(error, "有故障")


def reason(language: Language, text: str) -> str:
    """Return a reason as the diagnosis gives it; in Chinese where its pattern is known."""
    if language == "zh":
        for pattern, told in _REASONS:
            if pattern.fullmatch(text):
                return pattern.sub(told, text)
    return text


def kind_word(language: Language, kind: NodeKind) -> str:
    """Return the name of a layer."""
    return kind.value if language == "en" else KINDS[kind]


def answers(language: Language, *, bad: int, good: int) -> str:
    """Return what the checks of a node said, empty where they said nothing."""
    told = [say(language, name, count=count) for name, count in (("bad", bad), ("good", good)) if count]
    return say(language, "and").join(told)
