"""Full-text search over many articles in Chinese and English: how long it takes, and whether it finds all there is.

python -m bench.knowledge [ARTICLES] [--json]

Articles are drawn from words of the trade, each word by its rank as uneven as language is. For every query of two
characters what is found is compared with a plain search of the texts: a fast answer that misses some is none.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from bench.machine import load, machine
from btimd.model.knowledge import (
    Article,
    ArticleQuery,
    ArticleState,
    IncidentLook,
    Language,
    RecordEvent,
    RecordKind,
)
from btimd.store.knowledge import SqliteKnowledge
from btimd.store.knowledgewords import normal

ZH = """
    支付 数据库 监听 中断 连接 超时 交换机 端口 磁盘 空间 不足 核心 系统 网银 柜面 服务器 内存 溢出 日志
    归档 表空间 死锁 中间件 队列 积压 证书 过期 域名 解析 失败 重启 进程 网络 丢包 延迟 带宽 防火墙 策略
    变更 回退 备份 恢复 主机 虚拟机 存储 光纤 链路 切换 双机 心跳 补丁 升级 账号 锁定 权限 接口 报文
    格式 错误 交易 成功率 下降 响应 缓慢 批处理 清算 对账 影像 短信 平台 电话 银行 告警 误报
""".split()  # noqa: SIM905  a list of words reads as such
EN = """
    oracle listener down payment timeout connection refused switch port disk full core banking
    server memory leak log archive tablespace deadlock queue backlog certificate expired dns
    failure restart process network loss latency bandwidth firewall policy change rollback backup
    restore host storage fibre link failover heartbeat patch upgrade account locked permission
    interface message format error transaction rate drop response slow batch clearing
""".split()  # noqa: SIM905  a list of words reads as such
QUERIES = {
    "two characters": ("支付", "死锁", "误报", "光纤", "队列"),
    "three and more": ("表空间", "数据库 监听", "支付 超时", "交易成功率", "证书过期"),
    "one character": ("库", "网"),
    "english": ("listener", "oracle listener", "certificate expired", "restarting", "deadlock payment"),
    "mixed": ("oracle 监听", "dns 解析失败", "ORA-01555", "vlan 4094"),
    "nothing has all": ("支付 误报 光纤 oracle 死锁 清算 影像", "zzz 支付"),
}


def text(rng: random.Random, words: list[str], weights: list[float], count: int, space: str) -> str:
    return space.join(rng.choices(words, weights, k=count))


def articles(count: int) -> list[Article]:
    rng = random.Random(7)
    weights = {id(words): [1 / (rank + 3) for rank in range(len(words))] for words in (ZH, EN)}
    made: list[Article] = []
    for number in range(count):
        chinese = number % 2 == 0
        words, space = (ZH, "") if chinese else (EN, " ")
        share = weights[id(words)]
        title = f"{text(rng, words, share, 4, space)} ORA-{rng.randrange(100_000):05d}"
        made.append(
            Article(
                id=f"KB-{number:06d}",
                version=1,
                state=ArticleState.PUBLISHED,
                language=Language.ZH if chinese else Language.EN,
                title=title,
                symptom=text(rng, words, share, 40, space),
                cause=text(rng, words, share, 15, space),
                solution=text(rng, words, share, 60, space),
                category=f"class-{number % 12}",
                nodes=(f"node-{rng.randrange(2_000)}",),
                kinds=(f"kind-{rng.randrange(20)}",),
                signatures=(f"node-{rng.randrange(2_000)}/down",),
                helped_count=rng.randrange(6),
                failed_count=rng.randrange(3),
                changed_at=float(number),
            )
        )
    return made


def step(article: Article) -> tuple[Article, RecordEvent]:
    return article, RecordEvent(
        RecordKind.ARTICLE, article.id, 1, article.changed_at, "bench", "drafted", "", "published"
    )


def whole_text(article: Article) -> str:
    return normal(f"{article.title}\n{article.symptom}\n{article.cause}\n{article.solution}\n{article.category}")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def timed(base: SqliteKnowledge, query: ArticleQuery) -> tuple[float, int]:
    began = time.process_time()
    found = await base.search(query)
    return (time.process_time() - began) * 1000, len(found)


async def measure(base: SqliteKnowledge, made: list[Article], rounds: int) -> dict[str, object]:
    report: dict[str, object] = {}
    everything: list[float] = []
    for name, queries in QUERIES.items():
        taken = [
            (await timed(base, ArticleQuery(text=one, category=category)))[0]
            for _ in range(rounds)
            for one in queries
            for category in ("", "class-3")
        ]
        everything += taken
        report[name] = [round(statistics.median(taken), 1), round(percentile(taken, 0.95), 1), round(max(taken), 1)]
    report["all queries"] = [
        round(statistics.median(everything), 1), round(percentile(everything, 0.95), 1), round(max(everything), 1),
    ]  # fmt: skip
    looks = [
        IncidentLook(
            signatures=(one.signatures[0], "kind:kind-3/down"), category=one.category, nodes=one.nodes,
            kinds=one.kinds, text=f"{one.title} {one.symptom[:200]}",
        )
        for one in made[:: max(1, len(made) // 20)]
    ]  # fmt: skip
    taken = []
    for look in looks:
        began = time.process_time()
        await base.candidates(look, 20)
        taken.append((time.process_time() - began) * 1000)
    report["matches of an incident"] = [
        round(statistics.median(taken), 1), round(percentile(taken, 0.95), 1), round(max(taken), 1),
    ]  # fmt: skip
    return report


async def recall(base: SqliteKnowledge, made: list[Article]) -> dict[str, str]:
    texts = {one.id: whole_text(one) for one in made}
    report = {}
    for query in QUERIES["two characters"] + QUERIES["three and more"][:1]:
        truth = {name for name, one in texts.items() if query in one}
        found = await base.matching_ids(query)
        report[query] = f"{len(found)} of {len(truth)}"
        assert found == truth, f"{query}: {len(found - truth)} too many, {len(truth - found)} missing"
    return report


async def run(count: int, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "knowledge.sqlite"
        base = SqliteKnowledge(path, call_seconds=600.0)
        base.open()
        made = articles(count)
        began = time.process_time()
        for at in range(0, count, 1_000):
            await base.write([step(one) for one in made[at : at + 1_000]])
        built = time.process_time() - began
        report: dict[str, object] = {
            "machine": machine(), "load": round(load(), 1), "articles": count, "build_cpu_seconds": round(built, 1),
            "file_megabytes": round(path.stat().st_size / 1e6, 1),
        }  # fmt: skip
        report["milliseconds of CPU time: median, p95, worst"] = await measure(base, made, rounds)
        report["found, of what is there"] = await recall(base, made)
        base.close()
        return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", nargs="?", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = asyncio.run(run(options.articles, options.rounds))
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
        return
    for name, value in report.items():
        if isinstance(value, dict):
            print(name)
            for key, figures in value.items():
                print(f"  {key}: {figures}")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
