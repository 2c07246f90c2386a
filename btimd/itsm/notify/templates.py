"""Templates of operators: text with {names}, checked when the settings are read and never able to do more than that.

Like str.format, without its ways into objects: a name is a plain word, no attribute, index, conversion or format.
"""

from collections.abc import Iterable, Iterator, Mapping
from string import Formatter
from typing import Final

TEMPLATE_LIMIT: Final = 4000


def parts(template: str) -> Iterator[tuple[str, str]]:
    """Yield (literal text, name after it or ""); raises ValueError for what is no template."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"the braces do not match ({error}); write {{{{ and }}}} for braces of the text") from None
    for literal, name, form, conversion in parsed:
        if name is None:
            yield literal, ""
            continue
        if form or conversion or not (name.isascii() and name.isidentifier()):
            shown = name + ("!" + conversion if conversion else "") + (":" + form if form else "")
            raise ValueError(f"{{{shown}}} is no plain name; write {{name}} only")
        yield literal, name


def names(template: str) -> frozenset[str]:
    """Return the names in a template; raises ValueError."""
    return frozenset(name for _, name in parts(template) if name)


def check(template: str, known: Iterable[str]) -> str:
    """Return the template; raises ValueError that lists the names there are."""
    if len(template) > TEMPLATE_LIMIT:
        raise ValueError(f"the template has {len(template)} characters, at most {TEMPLATE_LIMIT} are read")
    unknown = sorted(names(template) - frozenset(known))
    if unknown:
        shown = ", ".join(f"{{{name}}}" for name in unknown)
        raise ValueError(f"unknown {shown}; known: {', '.join(sorted(known))}")
    return template


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the template with values in place of names; what a value holds is text, braces too."""
    return "".join(literal + (values[name] if name else "") for literal, name in parts(template))
