"""Compare every catalog with its source, entry by entry: `python -m checks.catalogs`.

Sphinx prints the Japanese text, without a word, wherever a translation is missing or cannot be
used, and it cannot know that a translation says something else. A rule that is wrong about one
entry is switched off by a translator comment above that entry: `# gate: allow negation`.
"""

import argparse
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import polib

from checks.glossary import Terms, read_terms, stems, unused

JAPANESE = re.compile(r"[\u3000-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
IN_JAPANESE = re.compile(  # meant to stay: <span lang="ja">…</span> and [...]{lang=ja}
    r"<(\w+)\s[^<>]*\blang=\"?ja\b[^<>]*>.*?</\1>|\[[^\[\]]*\]\{[^{}]*\blang=\"?ja\b[^{}]*\}",
    re.DOTALL,
)

# --- reading a message -------------------------------------------------------

GAP = "\ufffc"  # stands in the text for code and targets, which must not be read as words
SPAN = re.compile(r"(?:\{([a-zA-Z][\w:+.-]*)\})?(?<![\\`])(`+)(?!`)(.+?)(?<!`)\2(?!`)", re.DOTALL)
TARGETED = re.compile(r"(.*?)\s*<([^<>]+)>", re.DOTALL)
TEXT_ROLE = re.compile(r"abbr|guilabel|menuselection|bdg.*|dfn")
LINK = re.compile(
    r"\[([^\[\]]*)\]\(<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+\"[^\"]*\")?\)"
)
URL = re.compile(r"https?://[^\s<>()\"\u3000-\uffff]*[^\s<>()\"\u3000-\uffff.,;:!?'*]")
FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]")
PLACEHOLDER = re.compile(
    r"\$\{\w+\}|\$[A-Z_a-z]\w*|\{[\w.#][^{}\n]*\}|%\(\w+\)s|%[sdf]\b|</?[A-Za-z][^<>]*>"
    r"|\barn:aws[\w-]*:[\w:/*.+-]+|(?<![\w-])[a-z]{1,12}-(?=[a-f]*\d)[0-9a-f]{4,17}\b",
    re.ASCII,
)
ESCAPE = re.compile(r"\\[!-/:-@\[-`{-~]")


@dataclass(frozen=True)
class Message:
    """A text taken apart: what must be the same in both languages, and the words that remain."""

    text: str
    roles: Counter[str]
    code: Counter[str]
    links: Counter[str]
    footnotes: Counter[str]
    placeholders: Counter[str]
    bare: str  # without code and roles
    words: str  # what a reader sees, without code, addresses and placeholders


def read_message(text: str) -> Message:
    found: dict[str, list[str]] = {part: [] for part in ("roles", "code", "links")}

    def take_span(match: re.Match[str]) -> str:
        role, _, body = match.groups()
        if not role:
            found["code"].append(body)
            return GAP
        targeted = TARGETED.fullmatch(body)
        shown, target = targeted.groups() if targeted else (body, body)
        found["roles"].append(
            f"{{{role}}}" if TEXT_ROLE.fullmatch(role) else f"{{{role}}}`{target}`"
        )
        return shown if targeted or role == "term" or TEXT_ROLE.fullmatch(role) else GAP

    def take_link(match: re.Match[str]) -> str:
        found["links"].append(match[2])
        return match[1]

    def take_url(match: re.Match[str]) -> str:
        found["links"].append(match[0])
        return GAP

    bare = ESCAPE.sub(GAP, SPAN.sub(take_span, text))
    words = URL.sub(take_url, LINK.sub(take_link, bare))
    footnotes = Counter(FOOTNOTE.findall(words))
    words = FOOTNOTE.sub("", words)
    placeholders = Counter(PLACEHOLDER.findall(IN_JAPANESE.sub("", words)))
    counted = {part: Counter(values) for part, values in found.items()}
    words = PLACEHOLDER.sub(GAP, IN_JAPANESE.sub(GAP, words))
    return Message(
        text, **counted, footnotes=footnotes, placeholders=placeholders, bare=bare, words=words
    )


def difference(source: Counter[str], target: Counter[str]) -> str:
    lost, added = source - target, target - source
    sides = (("lost", lost), ("added", added))
    return ", ".join(f"{side} {' '.join(sorted(some.elements()))}" for side, some in sides if some)


# --- numbers -----------------------------------------------------------------

NUMBER = re.compile(
    r"(?<![A-Za-z_\d.])(?<![A-Za-z]-)(\d+(?:,\d{3})+(?!\d)|\d+)((?:\.\d+)*)"
    r"(?:\s?(%|per ?cent|パーセント|thousand|million|billion|trillion|[千万億兆]))?"
    r"(?=\s?([\u3041-\u30ff\u3400-\u9fff]{0,5}))"
)
POWERS = {"千": 3, "万": 4, "億": 8, "兆": 12}
POWERS |= {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
KANJI_NUMBERS = {"ゼロ": 0} | {kanji: n for n, kanji in enumerate("一二三四五六七八九十", 1)}
NUMBER_WORDS = (
    "zero no none nothing never empty",
    "one once single first",
    "two second twice both double pair half binary",
    "three third thrice triple",
    "four fourth quarter",
    "five fifth",
    "six sixth",
    "seven seventh",
    "eight eighth octal",
    "nine ninth",
    "ten tenth tenfold decimal",
    "eleven eleventh",
    "twelve twelfth dozen",
)
OF_SOMETHING = {"1": " a an any no each every another per only"}  # 「1 つ」, not 「1 GB」
OR_MORE = {"2": " multiple several more"}  # 「2 つ以上」 is also "more than one"
MONTHS = "January February March April May June July August September October November December"


def numbers(text: str) -> list[tuple[str, str]]:
    """Every number, in one form for both languages, with what is counted if that is Japanese."""
    found = []
    for whole, rest, unit, counted in NUMBER.findall(unicodedata.normalize("NFKC", text)):
        value = whole.replace(",", "") + rest
        if unit in POWERS and rest.count(".") < 2:
            value = f"{(Decimal(value) * 10 ** POWERS[unit]).normalize():f}"
        found.append((f"{value}%" if unit and unit not in POWERS else value, counted))
    return found


def in_words(value: str, counted: str, english: str) -> int:
    """How often the English says a small number as a word, or the number of a month by name."""
    if not value.isdecimal() or int(value) >= len(NUMBER_WORDS):
        return 0
    words = NUMBER_WORDS[int(value)] + (OF_SOMETHING.get(value, "") if counted else "")
    words += OR_MORE.get(value, "") if "以上" in counted else ""
    said = len(re.findall(rf"\b(?:{words.replace(' ', '|')})\b", english, re.IGNORECASE))
    month = MONTHS.split()[int(value) - 1]
    named = rf"\b{month}\b" if counted.startswith("月") else rf"\d {month}\b|\b{month} \d"
    return said + len(re.findall(named, english))


def check_numbers(source: Message, target: Message) -> str:
    wanted, given = numbers(source.words), numbers(target.words)
    counted = dict(wanted)
    wanted_values, given_values = Counter(v for v, _ in wanted), Counter(v for v, _ in given)
    lost = wanted_values - given_values
    for value in list(lost):
        lost[value] -= in_words(value, counted[value], target.words)
    added = given_values - wanted_values
    for kanji, number in KANJI_NUMBERS.items():
        added[str(number)] -= source.words.count(kanji)
    return difference(+lost, +added)


# --- negation ----------------------------------------------------------------

MUST = (
    r"(?:なけれ|ね)ば(?:な(?:りません|らない|らなか|らず)|いけ(?:ません|ない))"
    r"|(?:なくて|ない)[はと](?:な(?:りません|らない)|いけ(?:ません|ない))"
)
NOT_NEGATIVE = re.compile(  # 「だけでなく」, 「かもしれません」, 「なければなりません」, …
    rf"{MUST}|(?:だけ|のみ|ばかり)(?:で(?:は)?|に)?(?:なく|ありません|ない)|のみならず"
    r"|に限(?:らず|りません|らない)|しか[^。、]{0,20}?(?:ません|ない|なかった|ず)"
    r"|かも?(?:しれ|知れ)(?:ません|ない)|に[過す]ぎ(?:ません|ない|ず)"
    r"|にほかな(?:りません|らない|らず)|ざるを得(?:ません|ない|ず)"
    r"|(?:ない|なく|なけれ|ず)[^。、]{0,12}?(?:ません|ないわけ|ないとは|ない|ず)"
    r"|欠かせ(?:ません|ない)|構い?(?:ません|わない)|かまいません|差し支え(?:ありません|ない)"
    r"|問題[はが]?(?:ありません|ない|なく|なけれ)|違い(?:ありません|ない)|少な[くい]|[ま間]もなく"
    r"|[も漏]れなく|(?<=[がはもを])なく[なすしせさ]|限りなく|絶え間なく|[か関拘]かわらず|関わらず"
    r"|問わず|ない(?:し|しは)\s?\d|[み見は]なし|危ない|とんでもない"
)
NEGATIVE = re.compile(
    r"ません|ない|なく|なかっ|なけれ|なし(?!と)|(?<=[せらわかたけえれめべさがびね])ず(?=[に、。]|$)"
    r"|不要|不可|禁止"
)
NO = re.compile(
    r"n['’]t\b|\b(?:no|not|non\w*|nor|never|nothing|nobody|nowhere|neither|cannot|without|hardly"
    r"|rarely|seldom|regardless|\w+less|too \w+ to|unable|unavailable|impossible)\b",
    re.IGNORECASE,
)
# English that may stand for a negation, unless the Japanese says that very word.
ALMOST_NO = tuple(
    (re.compile(rf"\b(?:{english})\w*", re.IGNORECASE), re.compile(japanese))
    for english, japanese in (
        ("fail|error", "失敗|エラー"),
        ("stop", "止"),
        ("block", "ブロック|遮断"),
        ("lose|losing|lost", "失|消"),
        ("ignor", "無視"),
        ("den[yi]|refus|reject|forbid|prohibit|disallow", "拒|禁"),
        ("disabl|in(?:valid|activ)", "無効"),
        ("except|exclud|exclus|other than", "除|例外|以外"),
        ("omit|skip", "省|スキップ"),
        ("miss|lack|absen|insuffic", "欠|不足"),
        ("avoid|prevent|keep.* from", "避|防"),
        ("instead|rather", "代わ|かわ|むしろ"),
        ("free\\b|zero|empt|out of", "無料|空|ゼロ"),
        ("outside|beyond", "外|超"),
        ("only|until|unless|otherwise|else\\b", "だけ|のみ|限|まで"),
        ("before", "前"),
        ("stay|remain|same|still", "同じ|残|まま"),
        ("longer|exceed|more than", "長|超|以上"),
        ("optional", "任意"),
        ("wrong|ill-", "間違|誤|悪"),
        ("few\\b", "少"),
        ("mismatch|redundan|malform|obsolete|illegal", "不"),
        (
            "im(?:possib|mutab|prop)|ir(?:relev|regul)|in(?:access|adequa|approp|compatib|complet)",
            "不",
        ),
        ("in(?:consist|correct|defin|depend|exact|sec|sensitiv|visib)", "不"),
        ("un(?!it|ion|iq|ix|iver|iform|icode|der|til|less)[a-z]{3}", "[未不無非]"),
    )
)
OR_NOT = re.compile(r"\bwhether or not\b|\bor not(?=[.,]|$)")
PLAIN_NEGATIVE = re.compile(r"n['’]t\b|\b(?:[Nn]ot|[Cc]annot|[Nn]ever)\b")
POSSIBLY_NEGATIVE = re.compile(  # anything in Japanese that a plain "not" may come from
    r"な[いくしかけ]|ません|[ずぬ]|まい|[無未不非禁否外避失欠誤違逆空別他異止省除抜必]|以上|だけ|のみ|まで"
    r"|しか|ゼロ|エラー|ほか|さえ|代わり|かわり|むしろ|より|NG|(?<!\d)0"
)
SENTENCES = (re.compile(r"(?<=[。！？])\s*"), re.compile(r"(?<=[.!?])[)\"'”*]*\s+(?=[^a-z\s])"))


def negates(english: str, japanese: str) -> bool:
    rest = NEGATIVE.sub("", japanese)
    return bool(NO.search(english)) or any(
        word.search(english) and not same.search(rest) for word, same in ALMOST_NO
    )


def check_negation(source: Message, target: Message) -> str:
    """As many sentences negate as in Japanese, apart from those that were joined or divided."""
    japanese, english = source.words, OR_NOT.sub("", target.words)
    before, after = (
        list(filter(str.strip, end.split(text)))
        for end, text in zip(SENTENCES, (japanese, english), strict=True)
    )
    meant = [found[0] for text in before if (found := NEGATIVE.search(NOT_NEGATIVE.sub("", text)))]
    said = sum(negates(text, japanese) for text in after)
    cut_otherwise = abs(len(before) - len(after))
    if meant and said < max(1, len(meant) - cut_otherwise):
        return f"the Japanese text negates ({', '.join(meant)}), the English does not"
    added = PLAIN_NEGATIVE.search(english)
    if added and not POSSIBLY_NEGATIVE.search(re.sub(MUST, "", japanese)):
        return f"the English text negates ({added[0]}), the Japanese does not"
    return ""


# --- the other rules about one entry -----------------------------------------

BLOCK = re.compile(
    r"[-+*]\s|\d{1,9}[.)]\s|#{1,6}\s|[>%]|[:`~+]{3}|-{3,}\s*$|\s{4}|\t|\([^()\s]+\)=\s*$"
    r"|:[^:\s]+:|\{[^{}]*\}\s*$|\[[^\]]+\]:\s|<!--"
    r"|</?(?:div|p|table|ul|ol|li|pre|h[1-6]|section|details|blockquote|figure)\b"
)
NAME = re.compile(r"(?=\w*[A-Z\d])[A-Za-z][A-Za-z0-9]+", re.ASCII)
NO_NAMES = {"OK", "NG"}
# How many English letters one Japanese character becomes; fitted to 9,500 pairs of system messages.
LETTERS = (("[㐀-鿿々]", 3.0), ("[ァ-ヺー]", 1.35), ("[ぁ-ゖ]", 1.15), ("[!-~]", 0.9))
LENGTHS = ((60, 0.55, 1.75), (30, 0.45, 1.9))  # from this many letters on: the ratios allowed


def check_term_target(source: Message, target: Message) -> str:
    wrong = [role for role in target.roles - source.roles if role.startswith("{term}")]
    plain = [role for role in wrong if not JAPANESE.search(role)]
    return f"{plain[0]} has no target: write {{term}}`English <Japanese>`" if plain else ""


def check_japanese(source: Message, target: Message) -> str:
    left = "".join(JAPANESE.findall(target.words))
    return f"Japanese in the English text: {left[:20]}" if left else ""


def check_bold(source: Message, target: Message) -> str:
    wanted, given = (message.words.count("**") / 2 for message in (source, target))
    return f"{wanted:g} in Japanese, {given:g} in English" if wanted != given else ""


def check_link_space(source: Message, target: Message) -> str:
    broken = re.search(r"\]\s+\(|\]\(\s", target.bare)
    return "a space between ] and (, or after (" if broken else ""


def check_reference_link(source: Message, target: Message) -> str:
    used = "][" in source.bare or "][" in target.bare
    return "[text][name] is printed as it is: write [text](address)" if used else ""


def check_block(source: Message, target: Message) -> str:
    if "\n" in target.text.strip() and "\n" not in source.text:
        return "a line break: Sphinx uses the first block only"
    if start := BLOCK.match(target.text):
        return f"starts with {start[0].strip() or 'spaces'}: Sphinx drops the translation"
    return ""


def check_names(source: Message, target: Message) -> str:
    lower = target.text.lower()
    names = dict.fromkeys(NAME.findall(source.words))
    lost = [name for name in names if name.lower() not in lower and name not in NO_NAMES]
    return f"lost {' '.join(lost)}" if lost else ""


def check_length(source: Message, target: Message) -> str:
    expected = sum(factor * len(re.findall(kind, source.words)) for kind, factor in LETTERS)
    ratio = len(re.sub(rf"[\s{GAP}]", "", target.words)) / max(expected, 1)
    for letters, least, most in LENGTHS:
        if expected >= letters:
            wrong = "cut?" if ratio < least else "two texts in one?" if ratio > most else ""
            return f"{ratio:.2f} times the usual length: {wrong}" if wrong else ""
    return ""


RULES: dict[str, Callable[[Message, Message], str]] = {
    "roles": lambda source, target: difference(source.roles, target.roles),
    "term-target": check_term_target,
    "links": lambda source, target: difference(source.links, target.links),
    "code": lambda source, target: difference(source.code, target.code),
    "backticks": lambda source, target: "a backtick without partner" if "`" in target.bare else "",
    "footnotes": lambda source, target: difference(source.footnotes, target.footnotes),
    "placeholders": lambda source, target: difference(source.placeholders, target.placeholders),
    "numbers": check_numbers,
    "names": check_names,
    "bold": check_bold,
    "link-space": check_link_space,
    "reference-link": check_reference_link,
    "block": check_block,
    "japanese": check_japanese,
    "length": check_length,
    "negation": check_negation,
}


def compare(msgid: str, msgstr: str, terms: Terms) -> Iterator[tuple[str, str]]:
    """The rules that one translation breaks, and how."""
    if JAPANESE.search(msgid) and msgid.strip() == msgstr.strip():
        yield "copied", "the Japanese text stands in place of the English"
        return
    source, target = read_message(msgid), read_message(msgstr)
    for rule, check in RULES.items():
        if what := check(source, target):
            yield rule, what
    if what := unused(source.words, target.words, terms):
        yield "glossary", what


# --- headings ----------------------------------------------------------------

LABEL = re.compile(r"\(([^()\s]+)\)=\s*")
HEADING = re.compile(r"#{1,6} +(.+?)\s*")
STOP_WORDS = set(stems("a an the and or of for to in on at by with from as is it its be do does"))


def read_labels(page: str, msgids: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Each heading that is a message, and the labels above it: the English of our sources."""
    known, labels = set(msgids), list[str]()
    found = []
    for line in page.splitlines():
        if label := LABEL.fullmatch(line):
            labels.append(label[1])
            continue
        if (heading := HEADING.fullmatch(line)) and heading[1] in known:
            found.append((heading[1], labels))
        labels = []
    return found


def alike(one: str, other: str) -> bool:
    """The same stem, or the beginning of the other: config, configuration."""
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) > 3 and long.startswith(short))


def shared(label: str, prefixes: Iterable[str], heading: str) -> int:
    """How many word stems a heading has in common with its label, the page's own name left out."""
    own = next((label[len(p) + 1 :] for p in prefixes if label.startswith(f"{p}-")), label)
    words = set(stems(own)) - STOP_WORDS or set(stems(own))
    return sum(any(alike(word, said) for said in stems(heading)) for word in words)


def check_headings(page: Path, english: dict[str, str]) -> dict[str, str]:
    """The headings of a page that do not say what their label says, each with a reason."""
    headings = read_labels(page.read_text(encoding="utf-8"), english)
    slugs = {page.stem, *(headings[0][1] if headings else [])}
    prefixes = sorted(slugs, key=len, reverse=True)

    def score(labels: Sequence[str], heading: str) -> int:
        return max(shared(label, prefixes, english[heading]) for label in labels)

    wrong = {heading: "no (label)= above it" for heading, labels in headings if not labels}
    for heading, labels in headings:
        if labels and english[heading] and not score(labels, heading):
            wrong[heading] = f"no word in common with its label {labels[0]}: swapped?"
    rest = [(heading, labels) for heading, labels in headings if heading not in wrong]
    for (one, its_labels), (other, other_labels) in combinations(rest, 2):
        own = score(its_labels, one) + score(other_labels, other)
        if score(its_labels, other) + score(other_labels, one) > own:
            wrong |= {one: f"swapped with {other}?", other: f"swapped with {one}?"}
    return wrong


# --- whole catalogs ----------------------------------------------------------


GLOSSARY = "reference/glossary"


class Problem(NamedTuple):
    path: Path
    line: int
    rule: str
    what: str
    text: str = ""


def read_names(folder: Path, suffix: str) -> dict[str, Path]:
    """The catalogs of pages. `sphinx` holds the words of the theme and belongs to no page."""
    paths = sorted(folder.rglob(f"*{suffix}"))
    names = {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
    return {name: path for name, path in names.items() if name != "sphinx"}


def check_entry(entry: polib.POEntry, terms: Terms, heading: str) -> Iterator[tuple[str, str]]:
    if not entry.msgstr.strip():
        yield "empty", "not translated"
        return
    if entry.fuzzy:
        yield "fuzzy", "read the translation again, then remove the fuzzy mark"
    broken = dict(compare(entry.msgid, entry.msgstr, terms))
    if heading:
        broken["heading"] = heading
    comments = re.findall(r"^gate: allow (.+)$", entry.tcomment, re.MULTILINE)
    allowed = {rule.strip() for comment in comments for rule in comment.split(",")}
    yield from ((rule, what) for rule, what in broken.items() if rule not in allowed)
    for rule in sorted(allowed - broken.keys()):
        yield "override", f"nothing here breaks the rule {rule}: remove it from the comment"


def line_of(msgid: str, page: Path) -> int:
    """Where a message begins. Catalogs hold no line numbers: they would change with every edit."""
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    return next((n for n, line in enumerate(lines, 1) if msgid[:20] in line), 0)


def check_catalog(page: Path, catalog: Path, pot: Path, terms: Terms) -> Iterator[Problem]:
    entries, source = polib.pofile(str(catalog)), polib.pofile(str(pot))
    current = [entry for entry in entries if not entry.obsolete]
    known, wanted = {e.msgid for e in current}, {e.msgid for e in source}
    for entry in source:
        if entry.msgid not in known:
            what = "not in the catalog: `make locale`, then translate"
            yield Problem(page, line_of(entry.msgid, page), "missing", what, entry.msgid)
    english = {entry.msgid: entry.msgstr for entry in current if entry.msgid in wanted}
    headings = check_headings(page, english) if page.exists() else {}
    for entry in entries:
        if entry.obsolete:
            broken = [("obsolete", "delete the entry")]
        elif entry.msgid not in wanted:
            broken = [("extra", "no longer on the page: `make locale`")]
        else:
            broken = list(check_entry(entry, terms, headings.get(entry.msgid, "")))
        for rule, what in broken:
            yield Problem(catalog, entry.linenum, rule, what, entry.msgid)


def check(docs: Path, catalogs: Path, pot: Path) -> list[Problem]:
    """Everything that is wrong with the catalogs of one language."""
    wanted, given = read_names(pot, ".pot"), read_names(catalogs, ".po")
    if not wanted:
        return [Problem(pot, 0, "no-pot", "nothing extracted: run the gettext builder first")]
    problems = [
        Problem(catalogs / f"{name}.po", 0, "no-catalog", "`make locale`, then translate", name)
        for name in wanted.keys() - given.keys()
    ]
    problems += [
        Problem(given[name], 0, "orphan", "there is no such page: delete it", name)
        for name in given.keys() - wanted.keys()
    ]
    page, glossary = docs / f"{GLOSSARY}.md", catalogs / f"{GLOSSARY}.po"
    terms = read_terms(page, glossary) if page.exists() and glossary.exists() else {}
    if not terms:
        problems.append(Problem(page, 0, "no-terms", "no term has a translation"))
    for name in wanted.keys() & given.keys():
        problems += check_catalog(docs / f"{name}.md", given[name], wanted[name], terms)
    return sorted(problems)


def report(what_was_checked: str, problems: Sequence[Problem]) -> int:
    """Print one line for each problem, and the count; the exit code."""
    for path, line, rule, what, text in problems:
        print(f"{path}:{line}: {rule}: {what}" + f" | {' '.join(text.split())[:40]}" * bool(text))
    print(f"{what_was_checked}: {len(problems)} problem{'s' * (len(problems) != 1)}")
    return bool(problems)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="checks.catalogs", description="the translation gate")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--catalogs", type=Path, default=Path("locale/en/LC_MESSAGES"))
    parser.add_argument("--pot", type=Path, default=Path("_build/gettext"))
    options = parser.parse_args(arguments)
    return report("catalogs", check(options.docs, options.catalogs, options.pot))


if __name__ == "__main__":
    sys.exit(main())
