"""The names of figures for people, in English and Chinese."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "zh")

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "opened": ("opened", "受理数"),
    "resolved": ("resolved", "解决数"),
    "closed": ("closed", "关闭数"),
    "cancelled": ("cancelled", "作废数"),
    "merged": ("merged", "归并数"),
    "self_cleared": ("cleared by themselves", "自行恢复数"),
    "reopened": ("reopened", "重开数"),
    "orders": ("orders", "工单数量"),
    "first_time_fix": ("first-time fix", "事件一次解决率"),
    "first_dispatch": ("first dispatch accuracy", "一次派单正确率"),
    "satisfaction": ("satisfaction", "满意度"),
    "response_rate": ("survey response", "回访应答率"),
    "mean_score": ("mean score", "平均评分"),
    "response": ("response (MTTA)", "响应时间 (MTTA)"),
    "response_business": ("response, service hours", "响应时间 (服务时段)"),
    "resolution": ("resolution", "解决时间"),
    "resolution_business": ("resolution, service hours", "解决时间 (服务时段)"),
    "detection": ("detection (MTTD)", "发现时间 (MTTD)"),
    "cause": ("cause known (MTTC)", "定位时间 (MTTC)"),
    "restoration": ("restored (MTTR)", "恢复时间 (MTTR)"),
    "waiting_response": ("wait for acceptance", "待接单"),
    "waiting_resolution": ("wait for resolution", "待解决"),
    "mean": ("mean", "平均"),
    "p50": ("P50", "P50"),
    "p90": ("P90", "P90"),
    "count": ("count", "次数"),
    "unmeasured": ("beginning unknown", "起点未知"),
    "figure": ("figure", "指标"),
    "value": ("value", "数值"),
    "of": ("of", "总数"),
    "undecided": ("undecided", "未定"),
    "name": ("name", "名称"),
    "unknown": ("(not known)", "(未知)"),
    "none": ("nothing to measure", "无可计量"),
    "person": ("person", "人员"),
    "accepted": ("accepted", "接单数"),
    "effort": ("effort, min", "工时 (分钟)"),
    "effort_unknown": ("without effort", "未填工时"),
    "incidents": ("incidents", "事件数"),
    "share": ("share", "占比"),
    "worst": ("worst", "最高优先级"),
    "seconds": ("time lost", "处理时长"),
    "cause_name": ("cause", "原因"),
    "availability": ("availability", "可用率"),
    "coverage": ("measured", "测量覆盖率"),
    "failures": ("failures", "故障次数"),
    "down": ("down", "中断时长"),
    "mttr": ("MTTR", "MTTR 平均修复时间"),
    "mtbf": ("MTBF", "MTBF 平均无故障时间"),
    "mtbsi": ("MTBSI", "MTBSI 平均事件间隔"),
    "from": ("from", "自"),
    "until": ("until", "至"),
    "expected": ("expected", "预测"),
    "low": ("at least", "下限"),
    "high": ("at most", "上限"),
    "all": ("all", "合计"),
    "rest": ("the rest", "其余"),
    "bucket": ("from", "时段"),
}


def word(name: str, language: str) -> str:
    """Return the name of a figure."""
    return _WORDS[name][LANGUAGES.index(language)]
