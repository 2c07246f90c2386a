"""Commands of btimctl: articles of the knowledge base."""

import argparse
import hashlib
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api import calls_knowledge as calls
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_articlefiles import ArticleFileError, article_file, read_article, text_of
from btimd.cli.ctl_history import history_table
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, full_moment, percent
from btimd.model.knowledge import Article, ArticleQuery, ArticleState, Language, UseOutcome
from btimd.model.knowledgework import FoundArticle

_STATES: Final = {state.value: state for state in ArticleState}
_STYLES: Final = {
    ArticleState.DRAFT: "yellow", ArticleState.REVIEWED: "cyan", ArticleState.PUBLISHED: "green",
    ArticleState.RETIRED: "bright_black",
}  # fmt: skip
_EXPORT_LIMIT: Final = 200
_STEPS: Final = {
    "submit": ("a draft is ready for its review", False),
    "review": ("agree with a draft that somebody else wrote", False),
    "reject": ("say what is wrong with a draft", True),
    "publish": ("give a reviewed article to everybody; the one it replaces is retired", False),
    "retire": ("take an article out of use", True),
}


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    top = add("knowledge", _knowledge, "the knowledge base: search, read, write, review, publish, import, export")
    what = top.add_subparsers(dest="what", required=True, metavar="WHAT")
    search = what.add_parser("search", help="articles with these words, best first, with why each was found")
    search.add_argument("text", nargs="*", metavar="WORD", help="none: all that the filters leave, newest first")
    _filters(search)
    search.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 200; default 10")
    helps = what.add_parser("for", help="what may help with an incident: articles, and its known error")
    helps.add_argument("incident", metavar="INCIDENT")
    helps.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 20; default 5")
    show = what.add_parser("show", help="one article with its history")
    show.add_argument("id", metavar="ID")
    show.add_argument("--file", action="store_true", help="as a file for draft, edit and import")
    draft = what.add_parser("draft", help="write a new article")
    draft.add_argument("file", type=Path, metavar="FILE", help="TOML; see docs/knowledge.md")
    draft.add_argument("--incident", default="", metavar="ID", help="that it was learned from")
    draft.add_argument(
        "--replaces", default="", metavar="ID", help="the published article that it is the new wording of"
    )
    edit = what.add_parser("edit", help="change the text of a draft")
    edit.add_argument("id", metavar="ID")
    edit.add_argument("file", type=Path, metavar="FILE", help="the whole text as it is to be")
    edit.add_argument("--expect-version", type=int, default=0, metavar="N", help="refuse where it has another one")
    for name, (text, needs_reason) in _STEPS.items():
        step = what.add_parser(name, help=text)
        step.add_argument("id", metavar="ID")
        step.add_argument("reason", metavar="REASON", nargs=None if needs_reason else "?", default="")
    use = what.add_parser("use", help="say that an article was taken to hand for an incident, or how that ended")
    use.add_argument("id", metavar="ID")
    use.add_argument("incident", metavar="INCIDENT")
    use.add_argument("outcome", choices=[one.value for one in UseOutcome])
    load = what.add_parser("import", help="make a draft of each file; a file that was imported before makes no second")
    load.add_argument("files", type=Path, nargs="+", metavar="FILE")
    export = what.add_parser("export", help="write articles as files into a folder")
    export.add_argument("folder", type=Path, metavar="FOLDER")
    export.add_argument("text", nargs="*", metavar="WORD", help="only those with these words")
    _filters(export)


def _filters(made: argparse.ArgumentParser) -> None:
    made.add_argument("--class", dest="category", default="", metavar="CLASS", help="only of this class of trouble")
    made.add_argument("--node", default="", metavar="NODE", help="only about this node")
    made.add_argument("--kind", default="", metavar="KIND", help="only about this kind of node")
    made.add_argument("--language", choices=[one.value for one in Language])
    made.add_argument(
        "--state", action="append", default=[], choices=list(_STATES), help="default: published; may be repeated"
    )


def _query(args: argparse.Namespace, limit: int) -> ArticleQuery:
    return ArticleQuery(
        text=" ".join(args.text),
        category=args.category,
        node=args.node,
        node_kind=args.kind,
        language=Language(args.language) if args.language else None,
        states=tuple(_STATES[name] for name in args.state),
        limit=limit,
    )


def _knowledge(asking: Asking, args: argparse.Namespace) -> int:
    client, out = asking.client, asking.out
    try:
        match args.what:
            case "search":
                out.page(calls.search(client, _query(args, args.limit)), found_table, "no article has that")
            case "for":
                found = calls.incident_help(client, args.incident, args.limit)
                out.write([found], lambda: help_picture(found))
            case "show":
                _show(asking, args)
            case "draft":
                made = calls.draft(
                    client, read_article(args.file), _command_id(), source_incident=args.incident,
                    replaces=args.replaces,
                )  # fmt: skip
                _say(asking, made)
            case "edit":
                text = read_article(args.file)
                _say(asking, calls.edit(client, args.id, text, _command_id(), args.expect_version))
            case "use":
                outcome = UseOutcome(args.outcome)
                _say(asking, calls.use(client, args.id, args.incident, outcome, _command_id()))
            case "import":
                return _import(asking, args.files)
            case "export":
                return _export(asking, args)
            case step:
                _say(asking, calls.on_article(client, step, args.id, args.reason, _command_id()))
    except ArticleFileError as error:
        sys.stderr.write(f"btimctl: {clean(str(error))}\n")
        return 1
    return 0


def _command_id() -> str:
    return uuid.uuid4().hex


def _say(asking: Asking, article: Article) -> None:
    asking.out.write([article], lambda: Text(f"{article.id}, version {article.version}: {article.state.value}"))


def _show(asking: Asking, args: argparse.Namespace) -> None:
    article, history = calls.article(asking.client, args.id)
    if args.file:
        sys.stdout.write(article_file(text_of(article), _heading(article)))
        return
    asking.out.write([article, *history], lambda: Group(article_picture(article), Text(""), history_table(history)))


def _heading(article: Article) -> str:
    return f"{article.id}, version {article.version}, {article.state.value}"


def _import(asking: Asking, files: Sequence[Path]) -> int:
    """Make drafts; one bad file costs itself only."""
    failed = 0
    for path in files:
        try:
            text = read_article(path)
        except ArticleFileError as error:
            failed += 1
            sys.stderr.write(f"btimctl: {clean(str(error))}\n")
            continue
        digest = hashlib.sha256(article_file(text).encode()).hexdigest()
        made = calls.draft(asking.client, text, f"import-{digest[:48]}")
        asking.out.write([made], lambda path=path, made=made: Text(clean(f"{path}: {made.id} {made.title}")))  # type: ignore[misc]  # bound now
    return 1 if failed else 0


def _export(asking: Asking, args: argparse.Namespace) -> int:
    page = calls.search(asking.client, _query(args, _EXPORT_LIMIT))
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        for found in page.items:
            article = found.hit.article
            path = args.folder / f"{''.join(one for one in article.id if one.isalnum() or one in '-_')}.toml"
            path.write_text(article_file(text_of(article), _heading(article)), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"btimctl: cannot write {args.folder}: {error.strerror}\n")
        return 1
    sys.stderr.write(f"btimctl: wrote {len(page.items)} articles to {args.folder}\n")
    if page.more:
        sys.stderr.write("btimctl: there are more; export them by class, node, kind, language or words\n")
    return 0


def found_table(found: Sequence[FoundArticle]) -> Table:
    """Show articles that were found, each with why."""
    table = new_table("id", "state", "language", "helped", "article", right=("helped",), wide="article")

    def what(one: FoundArticle) -> Text:
        text = Text(clean(one.hit.article.title), style="bold")
        text.append(f"\n{clean('; '.join(one.why))}", style="bright_black")
        return text

    return fill(
        table,
        (
            (one.hit.article.id, _state(one.hit.article), one.hit.article.language.value, _helped(one.hit.article),
             what(one))
            for one in found
        ),
    )  # fmt: skip


def help_picture(found: calls.Help) -> Group:
    """Show what may help with an incident."""
    parts: list[Text | Table] = []
    if found.known_error_id:
        text = Text.assemble(("known error ", "bold red"), (clean(found.known_error_id), "bold"))
        text.append(f"  {clean(found.known_error_title)}\n  cause: {clean(found.known_error_cause)}\n")
        text.append(f"  workaround: {clean(found.known_error_workaround)}")
        parts.append(text)
    if found.articles:
        table = new_table("id", "fits", "article", right=("fits",), wide="article")
        rows = []
        for one in found.articles:
            text = Text(clean(one.article.title), style="bold")
            text.append(f"\n{clean('; '.join(one.why))}", style="bright_black")
            helps = one.article.workaround or one.article.solution
            if helps:
                text.append(f"\n{clean(helps)}")
            rows.append((one.article.id, percent(one.fit, 0), text))
        parts.append(fill(table, rows))
    return Group(*parts) if parts else Group(Text("nothing is known that fits"))


def article_picture(article: Article) -> Table:
    """Show all of one article."""
    waits = f", waits for its review since {full_moment(article.submitted_at)}" if article.submitted_at else ""
    why = f" ({article.retired_why})" if article.retired_why else ""
    lines = {
        "article": f"{article.id}, version {article.version}",
        "title": article.title,
        "state": f"{article.state.value}{why}{waits}",
        "language": article.language.value,
        "class": article.category,
        "symptom": article.symptom,
        "cause": article.cause,
        "workaround": article.workaround,
        "solution": article.solution,
        "nodes": ", ".join((*article.nodes, *(f"kind {one}" for one in article.kinds))),
        "signatures": ", ".join(article.signatures),
        "key words": ", ".join(article.keywords),
        "learned from": article.source_incident,
        "replaces": article.replaces,
        "authors": ", ".join(article.authors),
        "reviewed by": f"{article.reviewer}, {full_moment(article.reviewed_at)}" if article.reviewer else "",
        "published": full_moment(article.published_at) if article.published_at else "",
        "used": f"{article.used_count} times, helped {article.helped_count}, did not help {article.failed_count}",
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return fill(table, ((name, value) for name, value in lines.items() if value))


def _state(article: Article) -> Text:
    waits = article.state is ArticleState.DRAFT and article.submitted_at is not None
    return Text("to review" if waits else article.state.value, style=_STYLES[article.state])


def _helped(article: Article) -> str:
    known = article.helped_count + article.failed_count
    return f"{article.helped_count} of {known}" if known else "?"
