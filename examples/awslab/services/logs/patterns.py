"""Filter patterns: which log lines match, and which values they yield.

The syntax is that of the CloudWatch Logs user guide, "Filter pattern syntax": terms, `{ … }` for
lines of JSON, `[ … ]` for lines whose fields are delimited by spaces.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]  # by selector: `$.eventName`, `$status`
Condition = Callable[[Values], bool]

MISSING: Any = object()
TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"]+))')
TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.?\['[^']+'\]|\.[\w-]+|\[\d+\])+)
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | %(?P<regex>[^%]+)%
      | (?P<sign>&&|\|\||<=|>=|!=|[()=<>,]|\.\.\.)
      | (?P<word>[^\s()"=<>!&|,]+)
    )""",
    re.VERBOSE,
)
STEP = re.compile(r"\['([^']+)'\]|\[(\d+)\]|\.([\w-]+)")
FIELD = re.compile(r'\[([^\]]*)\]|"([^"]*)"|(\S+)')
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda got, wanted: got < wanted,
    ">": lambda got, wanted: got > wanted,
    "<=": lambda got, wanted: got <= wanted,
    ">=": lambda got, wanted: got >= wanted,
}


class BadPattern(Exception):
    """The text is no filter pattern."""


class Pattern:
    """One filter pattern.

    Raises:
        BadPattern
    """

    def __init__(self, text: str) -> None:
        self.selectors: list[str] = []
        stripped = text.strip()
        self._read: Callable[[str], Values | None]
        self._holds: Condition
        if stripped.startswith("{"):
            parser = Parser(inside(stripped, "}"), is_json=True)
            self._read, self._holds = read_json, parser.whole()
            self.selectors = parser.selectors
        elif stripped.startswith("["):
            self._read, self._holds = self._fields(inside(stripped, "]"))
        else:
            self._read, self._holds = read_text, terms(stripped)

    def matches(self, message: str) -> bool:
        return self.values(message) is not None

    def values(self, message: str) -> Values | None:
        """What can be selected in a line that matches; None if it does not match."""
        found = self._read(message)
        return found if found is not None and self._holds(found) else None

    def extracted(self, values: Values) -> dict[str, str]:
        """The values of all selectors of the pattern, as TestMetricFilter answers them."""
        found = {selector: select(values, selector) for selector in self.selectors}
        return {name: as_text(value) for name, value in found.items() if value is not MISSING}

    def _fields(self, text: str) -> tuple[Callable[[str], Values | None], Condition]:
        parts = split(text)
        names = [re.split(r"[\s=!<>]", part, maxsplit=1)[0] for part in parts]
        conditions = [
            Parser(part, is_json=False).whole()
            for part, name in zip(parts, names, strict=True)
            if part != name
        ]
        if names.count("...") > 1 or not all(names):
            raise BadPattern
        self.selectors = [f"${name}" for name in names if name != "..."]

        def read(message: str) -> Values | None:
            found = [next(filter(None, each), "") for each in FIELD.findall(message)]
            if "..." in names:
                at, gap = names.index("..."), len(found) - len(names) + 1
                if gap < 0:
                    return None
                found = [*found[:at], "", *found[at + gap :]]
            elif len(found) < len(names):
                return None
            else:  # the last field takes the rest of the line
                last = len(names) - 1
                found = [*found[:last], " ".join(found[last:])]
            return {f"${name}": value for name, value in zip(names, found, strict=True)}

        return read, lambda values: all(holds(values) for holds in conditions)


def inside(text: str, closing: str) -> str:
    if not text.endswith(closing):
        raise BadPattern
    return text[1:-1].strip()


def split(text: str) -> list[str]:
    """At the commas that stand in no quotation marks."""
    return [part.strip() for part in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text)]


# --- What a line holds ---


def read_text(message: str) -> Values | None:
    return {"": message}


def read_json(message: str) -> Values | None:
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return {"$": found} if isinstance(found, dict) else None


def select(values: Values, selector: str) -> Any:
    """The value behind `$.a.b[0]` or `$name`; MISSING if there is none."""
    if "$" not in values:
        return values.get(selector, MISSING)
    value = values["$"]
    for name, position, member in STEP.findall(selector):
        if position:
            inside_list = isinstance(value, list) and int(position) < len(value)
            value = value[int(position)] if inside_list else MISSING
        else:
            key = name or member
            value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING:
            break
    return value


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def number_in(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    return float(value)


# --- Terms ---


def terms(text: str) -> Condition:
    """`ERROR "a phrase" -excluded`, or `?one ?or ?another`, or `%a regular expression%`."""
    tests: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        found = TERM.match(text, at)
        if found is None:
            raise BadPattern
        at = found.end()
        sign, phrase, regex, word = found.groups()
        tests[sign].append(in_text(phrase or word or "", regex))

    def holds(values: Values) -> bool:
        message = values[""]
        return (
            all(test(message) for test in tests[""])
            and not any(test(message) for test in tests["-"])
            and (not tests["?"] or any(test(message) for test in tests["?"]))
        )

    return holds


def in_text(term: str, regex: str | None) -> Callable[[str], bool]:
    if regex is not None:
        form = compiled(regex)
        return lambda message: form.search(message) is not None
    wanted = unescaped(term).strip()  # `" "` matches everything
    return lambda message: wanted in message


def compiled(regex: str) -> re.Pattern[str]:
    if "(" in regex or ")" in regex:
        raise BadPattern
    try:
        return re.compile(regex)
    except re.error:
        raise BadPattern from None


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


# --- Conditions ---


class Parser:
    """`a && (b || c)`: parentheses first, then `&&`, then `||`."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        self.is_json = is_json
        self.selectors: list[str] = []
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise BadPattern
            at = found.end()
            kind = found.lastgroup or ""
            self.tokens.append((kind, found[kind]))
        self.at = 0

    def whole(self) -> Condition:
        holds = self.either()
        if self.at < len(self.tokens):
            raise BadPattern
        return holds

    def either(self) -> Condition:
        parts = [self.both()]
        while self.takes("sign", "||"):
            parts.append(self.both())
        return lambda values: any(holds(values) for holds in parts)

    def both(self) -> Condition:
        parts = [self.single()]
        while self.takes("sign", "&&"):
            parts.append(self.single())
        return lambda values: all(holds(values) for holds in parts)

    def single(self) -> Condition:
        if self.takes("sign", "("):
            holds = self.either()
            if not self.takes("sign", ")"):
                raise BadPattern
            return holds
        selector = self.selector()
        if self.is_json and self.takes("word", "NOT"):
            if not self.takes("word", "EXISTS"):
                raise BadPattern
            return lambda values: select(values, selector) is MISSING
        if self.is_json and self.takes("word", "IS"):
            _, word = self.next("word")
            if word not in SINGLETONS:
                raise BadPattern
            return lambda values: select(values, selector) is SINGLETONS[word]
        _, operator = self.next("sign")
        return comparison(selector, operator, *self.next("text", "word", "regex"))

    def selector(self) -> str:
        kind, text = self.next("selector" if self.is_json else "word")
        selector = text if kind == "selector" else f"${text}"
        if selector not in self.selectors:
            self.selectors.append(selector)
        return selector

    def takes(self, kind: str, text: str) -> bool:
        found = self.tokens[self.at : self.at + 1] == [(kind, text)]
        self.at += found
        return found

    def next(self, *kinds: str) -> tuple[str, str]:
        if self.at == len(self.tokens) or self.tokens[self.at][0] not in kinds:
            raise BadPattern
        self.at += 1
        return self.tokens[self.at - 1]


SINGLETONS = {"NULL": None, "TRUE": True, "FALSE": False}


def comparison(selector: str, operator: str, kind: str, wanted: str) -> Condition:
    """A field that is missing, null, a list or an object meets no comparison, not even `!=`."""
    if operator in COMPARISONS:
        limit, compare = number_in(wanted), COMPARISONS[operator]
        if kind != "word" or limit is None:
            raise BadPattern

        def meets(values: Values) -> bool:
            got = number_in(select(values, selector))
            return got is not None and compare(got, limit)

        return meets
    if operator not in ("=", "!="):
        raise BadPattern
    equals = equality(kind, wanted)

    def holds(values: Values) -> bool:
        got = select(values, selector)
        if got is MISSING or got is None or isinstance(got, list | dict):
            return False
        return equals(got) == (operator == "=")

    return holds


def equality(kind: str, wanted: str) -> Callable[[Any], bool]:
    if kind == "regex":
        form = compiled(wanted)
        return lambda got: form.search(as_text(got)) is not None
    exact = number_in(wanted) if kind == "word" else None
    if exact is not None:
        return lambda got: number_in(got) == exact
    parts = map(re.escape, unescaped(wanted).split("*"))
    like = re.compile(".*".join(parts), re.DOTALL)
    return lambda got: like.fullmatch(as_text(got)) is not None
