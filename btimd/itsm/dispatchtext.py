"""Decisions as sentences in Chinese and English: why her, why nobody."""
# ruff: noqa: RUF001  Chinese sentences have Chinese punctuation

from collections.abc import Mapping
from dataclasses import asdict
from math import log
from types import MappingProxyType
from typing import Final

from btimd.itsm.dispatch import Decision, LevelTable
from btimd.itsm.dispatchscore import FACTORS, Row, Weights
from btimd.model.duty import People, Presence
from btimd.model.units import Seconds

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "chosen": "{name} ({group}, level {level}) was chosen out of {count} on duty: {facts}. "
                "Score {score:.2f}.",
                "only": "{name} ({group}, level {level}) was chosen, the only one on duty who can be asked: {facts}. "
                "Score {score:.2f}.",
                "manual": "{name} ({group}) was chosen by the centre{reason}: {facts}. Score {score:.2f}.",
                "reason": " ({reason})",
                "runner": " Next is {name} with {score:.2f}, behind by {factor} ({less:.2f} against {more:.2f}).",
                "tie": " {name} has the same score, and comes later by time since the last order, then by id.",
                "skipped": " Before: {levels}.",
                "nobody": "Nobody can be asked: {levels}.",
                "no-path": "Nobody can be asked: no escalation path is set for class {work_class}.",
                "level": "level {level} ({group}): {why}",
                "unfit": "{count} on duty but overloaded or unfit, the best {name} with {score:.2f}",
                "off": "{count} off duty",
                "excluded": "{count} asked before or excluded",
                "empty": "no members",
                "and": ", ",
                "between": "; ",
                "skill-seen": "skill {skill:.2f} ({good:.0f} of {all:.0f} orders of class {work_class} solved in time)",
                "skill-told": "skill {skill:.2f} (as declared)",
                "skill-none": "skill {skill:.2f} (nothing is known of class {work_class})",
                "load": "{load:.1f} of {capacity:.1f} orders open",
                "idle": "last order {idle} ago",
                "idle-never": "no order yet",
                "knows": "has dealt with this cause",
                "on-shift": "on shift",
                "backup": "back-up",
                "soon": "shift begins within the hour",
                "off-duty": "off duty",
                "minutes": "{count} min",
                "hours": "{count} h",
                "days": "{count} d",
                "f-duty": "duty",
                "f-skill": "skill",
                "f-load": "load",
                "f-fair": "fairness",
                "f-affinity": "acquaintance with the cause",
            }
        ),
        "zh": MappingProxyType(
            {
                "chosen": "在 {count} 名在岗人员中选派 {name}（{group}，第 {level} 级）：{facts}。得分 {score:.2f}。",
                "only": "选派 {name}（{group}，第 {level} 级），为唯一可派的在岗人员：{facts}。得分 {score:.2f}。",
                "manual": "由管理中心指派 {name}（{group}）{reason}：{facts}。得分 {score:.2f}。",
                "reason": "（{reason}）",
                "runner": "其次为 {name}，得分 {score:.2f}，主要差在{factor}（{less:.2f} 对 {more:.2f}）。",
                "tie": "{name} 得分相同，按距上次接单时间及编号排在其后。",
                "skipped": "此前：{levels}。",
                "nobody": "无人可派：{levels}。",
                "no-path": "无人可派：类别 {work_class} 未设置服务升级序列。",
                "level": "第 {level} 级（{group}）{why}",
                "unfit": "{count} 人在岗但负荷过高或不适合，最高为 {name} {score:.2f}",
                "off": "{count} 人不在岗",
                "excluded": "{count} 人已派过或被排除",
                "empty": "没有成员",
                "and": "，",
                "between": "；",
                "skill-seen": "能力 {skill:.2f}（{work_class} 类 {all:.0f} 单中按时解决 {good:.0f} 单）",
                "skill-told": "能力 {skill:.2f}（按登记）",
                "skill-none": "能力 {skill:.2f}（{work_class} 类尚无记录）",
                "load": "在手 {load:.1f} 单，容量 {capacity:.1f} 单",
                "idle": "距上次派单 {idle}",
                "idle-never": "尚未接过单",
                "knows": "处理过同一原因",
                "on-shift": "当班",
                "backup": "备班",
                "soon": "一小时内接班",
                "off-duty": "不在岗",
                "minutes": "{count} 分钟",
                "hours": "{count} 小时",
                "days": "{count} 天",
                "f-duty": "值班状态",
                "f-skill": "能力",
                "f-load": "负荷",
                "f-fair": "均衡",
                "f-affinity": "对该原因的经验",
            }
        ),
    }
)
_STANDS: Final = MappingProxyType(
    {Presence.ON_SHIFT: "on-shift", Presence.BACKUP: "backup", Presence.SOON: "soon", Presence.OFF: "off-duty"}
)
_SEEN: Final = 0.5
"""With fewer faded orders than this the skill is the declared one."""
_MINUTES: Final = 90
_HOURS: Final = 48


def sentence(decision: Decision, people: People, language: str = "zh") -> str:
    """Return why somebody was chosen, or why nobody, for a reader of "zh" or "en"."""
    return _Words(decision, people, language if language in _TEXTS else "en").sentence()


def row_text(row: Row, people: People, work_class: str, language: str = "zh") -> str:
    """Return the facts on one person in words, as for a list of those an order can be handed over to."""
    texts = _TEXTS[language if language in _TEXTS else "en"]
    return f"{_name(people, row.person, language)}: {_facts(row, work_class, texts)}"


class _Words:
    """One decision in one language."""

    def __init__(self, decision: Decision, people: People, language: str) -> None:
        self.decision = decision
        self.people = people
        self.language = language
        self.texts = _TEXTS[language]

    def sentence(self) -> str:
        decision, texts = self.decision, self.texts
        row = decision.row
        if row is None:
            if not decision.path:
                return texts["no-path"].format(work_class=decision.work_class)
            return texts["nobody"].format(levels=self.levels(decision.tables))
        table = decision.tables[-1]
        values = {
            "name": _name(self.people, row.person, self.language),
            "group": self.group(table.group),
            "level": decision.level,
            "count": len(table.rows),
            "facts": _facts(row, decision.work_class, texts),
            "score": row.score,
            "reason": texts["reason"].format(reason=decision.reason) if decision.reason else "",
        }
        if decision.manual:
            return texts["manual"].format_map(values)
        text = texts["chosen" if len(table.rows) > 1 else "only"].format_map(values)
        if len(table.rows) > 1:
            text += self.runner(row, table.rows[1])
        if len(decision.tables) > 1:
            text += texts["skipped"].format(levels=self.levels(decision.tables[:-1]))
        return text

    def runner(self, first: Row, second: Row) -> str:
        name = _name(self.people, second.person, self.language)
        if first.score == second.score:
            return self.texts["tie"].format(name=name)
        factor = deciding_factor(first, second, self.decision.weights)
        return self.texts["runner"].format(
            name=name,
            score=second.score,
            factor=self.texts[f"f-{factor}"],
            less=getattr(second, factor),
            more=getattr(first, factor),
        )

    def levels(self, tables: tuple[LevelTable, ...]) -> str:
        return self.texts["between"].join(
            self.texts["level"].format(level=table.level, group=self.group(table.group), why=self.why_not(table))
            for table in tables
        )

    def why_not(self, table: LevelTable) -> str:
        texts, parts = self.texts, []
        if table.rows:
            name = _name(self.people, table.rows[0].person, self.language)
            parts.append(texts["unfit"].format(count=len(table.rows), name=name, score=table.rows[0].score))
        parts += [
            texts[key].format(count=len(people))
            for key, people in (("off", table.off), ("excluded", table.excluded))
            if people
        ]
        return texts["and"].join(parts) or texts["empty"]

    def group(self, group: str) -> str:
        found = self.people.groups.get(group)
        return found.name_in(self.language) if found else group


def deciding_factor(first: Row, second: Row, weights: Weights) -> str:
    """Return by which membership the second falls behind most, weights included."""
    powers = asdict(weights)

    def lead(factor: str) -> float:
        low, high = (max(float(getattr(row, factor)), 1e-9) for row in (second, first))
        return float(powers[factor]) * (log(high) - log(low))

    return max(FACTORS, key=lead)


def _name(people: People, person: str, language: str) -> str:
    found = people.persons.get(person)
    return f"{found.name_in(language)} ({person})" if found else person


def _facts(row: Row, work_class: str, texts: Mapping[str, str]) -> str:
    facts = row.facts
    seen = facts.good + facts.bad
    told = "skill-none" if facts.declared is None else "skill-told"
    parts = [
        texts[_STANDS[facts.presence]],
        texts["skill-seen" if seen >= _SEEN else told].format(
            skill=row.skill, good=facts.good, all=seen, work_class=work_class
        ),
        texts["load"].format(load=facts.load, capacity=facts.capacity),
        texts["idle-never"]
        if facts.idle_seconds is None
        else texts["idle"].format(idle=_duration(facts.idle_seconds, texts)),
    ]
    if facts.knows:
        parts.append(texts["knows"])
    return texts["and"].join(parts)


def _duration(seconds: Seconds, texts: Mapping[str, str]) -> str:
    minutes = int(seconds // 60)
    if minutes < _MINUTES:
        return texts["minutes"].format(count=minutes)
    hours = minutes // 60
    return texts["hours"].format(count=hours) if hours < _HOURS else texts["days"].format(count=hours // 24)
