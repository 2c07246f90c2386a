"""The words of notices, Chinese and English: templates per kind and means, states, and labels."""
# ruff: noqa: RUF001, E501  Chinese punctuation is meant; a text stands whole on its line

from collections.abc import Mapping
from typing import Final

from btimd.model.notification import NoticeKind

PLACEHOLDERS: Final = frozenset({
    "priority", "business", "title", "description", "source", "reporter", "occurred", "accept_by", "resolve_due",
    "number", "region", "users", "cause", "person", "status", "incident",
})  # fmt: skip
"""Names that a template may use. Times are local to the person; what is not known is said as such."""

LANGUAGES: Final = ("zh", "en")

UNKNOWN: Final[Mapping[str, str]] = {"zh": "未知", "en": "unknown"}
NO_BUSINESS: Final[Mapping[str, str]] = {"zh": "未知业务", "en": "unknown business"}
NO_LIMIT: Final[Mapping[str, str]] = {"zh": "未约定", "en": "no limit"}

COLON: Final[Mapping[str, str]] = {"zh": "：", "en": ": "}

SHORT: Final[Mapping[str, Mapping[NoticeKind, str]]] = {
    "zh": {
        NoticeKind.ORDER: "[{priority}] {business} {title} {description} 来源{source} {occurred} 申报人{reporter} "
        "限{accept_by}接单 #{number} 回复 1接 2退 3升",
        NoticeKind.REMINDER: "[{priority}] 仍未接单 {business} {title} {description} 来源{source} {occurred} "
        "申报人{reporter} 限{accept_by}接单 #{number} 回复 1接 2退 3升",
        NoticeKind.NOT_ACCEPTED: "[{priority}] 超时未接单 {business} {title} {description} 接单时限{accept_by} #{number}",
        NoticeKind.ESCALATED: "[{priority}] 已升级 {business} {title} {description} 来源{source} {occurred} "
        "处理时限{resolve_due} #{number}",
        NoticeKind.REPORT_DUE: "[{priority}] 请提交阶段报告 {business} {title} 处理时限{resolve_due} #{number}",
        NoticeKind.RECALLED: "[{priority}] 派单已撤回 {business} {title} #{number}",
        NoticeKind.STATUS: "{business} {status} {title} {occurred}起 #{number}",
        NoticeKind.NEWS: "[{priority}] {status} {business} {title} #{number}",
        NoticeKind.ANSWER: "#{number} 未执行：{status}",
        NoticeKind.TEST: "{person}，这是btimd的测试消息，收到即表示此联系方式可用 #{number}",
    },
    "en": {
        NoticeKind.ORDER: "[{priority}] {business}: {title} {description} from {source} {occurred} by {reporter} "
        "accept by {accept_by} #{number} reply 1 accept 2 return 3 escalate",
        NoticeKind.REMINDER: "[{priority}] not accepted yet: {business}: {title} {description} from {source} "
        "{occurred} by {reporter} accept by {accept_by} #{number} reply 1 accept 2 return 3 escalate",
        NoticeKind.NOT_ACCEPTED: "[{priority}] not accepted by {accept_by}: {business}: {title} {description} "
        "#{number}",
        NoticeKind.ESCALATED: "[{priority}] escalated: {business}: {title} {description} from {source} {occurred} "
        "resolve by {resolve_due} #{number}",
        NoticeKind.REPORT_DUE: "[{priority}] stage report is due: {business}: {title} resolve by {resolve_due} "
        "#{number}",
        NoticeKind.RECALLED: "[{priority}] order withdrawn: {business}: {title} #{number}",
        NoticeKind.STATUS: "{business}: {status} {title} since {occurred} #{number}",
        NoticeKind.NEWS: "[{priority}] {status}: {business}: {title} #{number}",
        NoticeKind.ANSWER: "#{number} not done: {status}",
        NoticeKind.TEST: "{person}, this is a test of btimd: you can be reached here #{number}",
    },
}
"""One line: of SMS, the screen, and the subject of mail."""

SPOKEN: Final[Mapping[str, Mapping[NoticeKind, str]]] = {
    "zh": {
        NoticeKind.ORDER: "{priority}事件，{business}，{title}。请在{accept_by}之前接单。单号{number}。接单请按1，退单请按2，升级请按3。",
        NoticeKind.REMINDER: "{priority}事件仍未接单，{business}，{title}。请在{accept_by}之前接单。单号{number}。接单请按1，退单请按2，升级请按3。",
        NoticeKind.NOT_ACCEPTED: "{priority}事件超时未接单，{business}，{title}。单号{number}。",
        NoticeKind.ESCALATED: "{priority}事件已升级，{business}，{title}。单号{number}。",
        NoticeKind.REPORT_DUE: "请提交阶段报告，{business}，{title}。单号{number}。",
        NoticeKind.RECALLED: "派单已撤回，{business}，{title}。单号{number}。",
        NoticeKind.STATUS: "{business}，{status}。单号{number}。",
        NoticeKind.NEWS: "{priority}事件，{status}，{business}，{title}。单号{number}。",
        NoticeKind.ANSWER: "单号{number}，未执行，{status}。",
        NoticeKind.TEST: "{person}，这是测试消息，收到即表示此联系方式可用。编号{number}。",
    },
    "en": {
        NoticeKind.ORDER: "{priority} incident. {business}. {title}. Please accept by {accept_by}. Number {number}. "
        "Press 1 to accept, 2 to return, 3 to escalate.",
        NoticeKind.REMINDER: "{priority} incident, not accepted yet. {business}. {title}. Please accept by "
        "{accept_by}. Number {number}. Press 1 to accept, 2 to return, 3 to escalate.",
        NoticeKind.NOT_ACCEPTED: "{priority} incident, not accepted in time. {business}. {title}. Number {number}.",
        NoticeKind.ESCALATED: "{priority} incident, escalated. {business}. {title}. Number {number}.",
        NoticeKind.REPORT_DUE: "A stage report is due. {business}. {title}. Number {number}.",
        NoticeKind.RECALLED: "Order withdrawn. {business}. {title}. Number {number}.",
        NoticeKind.STATUS: "{business}. {status}. Number {number}.",
        NoticeKind.NEWS: "{priority} incident. {status}. {business}. {title}. Number {number}.",
        NoticeKind.ANSWER: "Number {number}. Not done. {status}.",
        NoticeKind.TEST: "{person}, this is a test. You can be reached here. Number {number}.",
    },
}

HEADLINE: Final[Mapping[str, Mapping[NoticeKind, str]]] = {
    "zh": {
        NoticeKind.ORDER: "请接单", NoticeKind.REMINDER: "仍未接单", NoticeKind.NOT_ACCEPTED: "超时未接单",
        NoticeKind.ESCALATED: "已升级", NoticeKind.REPORT_DUE: "请提交阶段报告", NoticeKind.RECALLED: "派单已撤回",
        NoticeKind.STATUS: "业务状态", NoticeKind.NEWS: "事件动态", NoticeKind.ANSWER: "未执行", NoticeKind.TEST: "测试消息",
    },
    "en": {
        NoticeKind.ORDER: "please accept", NoticeKind.REMINDER: "not accepted yet",
        NoticeKind.NOT_ACCEPTED: "not accepted in time", NoticeKind.ESCALATED: "escalated",
        NoticeKind.REPORT_DUE: "stage report is due", NoticeKind.RECALLED: "order withdrawn",
        NoticeKind.STATUS: "how it stands", NoticeKind.NEWS: "news", NoticeKind.ANSWER: "not done",
        NoticeKind.TEST: "test",
    },
}  # fmt: skip

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "business": "业务", "title": "事件", "description": "描述", "source": "来源", "occurred": "发生时间",
        "reporter": "申报人", "accept_by": "接单时限", "resolve_due": "处理时限", "region": "区域", "users": "受影响用户",
        "cause": "原因", "number": "单号", "status": "状态",
    },
    "en": {
        "business": "Business", "title": "Incident", "description": "Description", "source": "Source",
        "occurred": "Occurred", "reporter": "Reported by", "accept_by": "Accept by", "resolve_due": "Resolve by",
        "region": "Region", "users": "Users affected", "cause": "Cause", "number": "Number", "status": "Status",
    },
}  # fmt: skip

HOW_TO_ANSWER: Final[Mapping[str, str]] = {
    "zh": "回复 1 接单；回复 2 加原因退单；回复 3 加原因请求升级",
    "en": "Reply 1 to accept, 2 and a reason to return, 3 and a reason to escalate",
}

STATUS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "registered": "已受理，正在安排处理", "investigating": "出现异常，正在排查", "found": "已找到原因，正在处理",
        "waiting": "处理暂停，等待外部条件", "restored": "已恢复，请确认", "closed": "已处理完毕", "maintenance": "计划维护中",
        "taken": "已有人处理", "reopened": "再次出现，重新处理", "cancelled": "已撤销", "merged": "已并入同一原因的事件",
    },
    "en": {
        "registered": "has been registered and is being assigned", "investigating": "is disturbed, we are looking into it",
        "found": "is disturbed, the cause is known and worked on", "waiting": "is disturbed, work waits for others",
        "restored": "works again, please confirm", "closed": "has been dealt with", "maintenance": "is under maintenance",
        "taken": "is disturbed, somebody works on it", "reopened": "is disturbed again and worked on",
        "cancelled": "was reported in error and is closed", "merged": "has the cause of another incident, which goes on",
    },
}  # fmt: skip
"""What users of a business are told, by Order.status."""

NEWS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "cleared": "现象已消失", "reported-again": "再次申报", "pending-over": "挂起到期，请继续处理",
        "response-mark": "响应时限将至或已过", "resolution-mark": "处理时限将至或已过", "priority-raised": "优先级已提高",
        "returned": "已退单", "hold-over": "人工调度到期，恢复自动派单", "waits": "等待处理，无处理组可派",
        "stalled": "无人可派，请处理", "not-reached": "通知不到处理人", "order-timeout": "超时未接单",
        "stage-report-due": "阶段报告未提交", "escalated": "已升级",
    },
    "en": {
        "cleared": "the trouble is gone", "reported-again": "reported again", "pending-over": "no longer waits, please go on",
        "response-mark": "time to respond is running out or over", "resolution-mark": "time to resolve is running out or over",
        "priority-raised": "more urgent now", "returned": "order returned", "hold-over": "held long enough, dispatched again",
        "waits": "waits, there is no group for it", "stalled": "nobody can be given it, please see to it",
        "not-reached": "the person ordered cannot be reached", "order-timeout": "order not accepted in time",
        "stage-report-due": "stage report is due", "escalated": "escalated",
    },
}  # fmt: skip
"""What happened, to those who have an incident, lead the group or watch over all work; by what the engine calls it."""

FOLDED: Final[Mapping[str, str]] = {
    "zh": "共{count}单待处理：{numbers}。详见屏幕",
    "en": "{count} orders wait for you: {numbers}. See the screen",
}
"""Several notices to one contact told as one."""
