"""SQL read word by word: what sqlglot does not know, or need not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from awslab.sql import SqlError

WORDS = re.compile(
    r"""
    (?P<SPACE> \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<STRING> '(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<IDENTIFIER> "(?:[^"]|"")*" | `[^`]*` )
  | (?P<NUMBER> (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? )
  | (?P<WORD> [\#]?[^\W\d][\w$]* )
  | (?P<SIGN> :: | <= | >= | <> | != | \|\| | -> | . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Word:
    """One word or sign. kind: STRING, IDENTIFIER, NUMBER, WORD or SIGN; text: without its quotes.
    start, end: its first character, and the one after its last."""

    kind: str
    text: str
    start: int
    end: int


def scan(sql: str) -> list[Word]:
    """The words and signs of a text; comments are none.

    Raises:
        SqlError: a quotation has no end.
    """
    found = []
    for match in WORDS.finditer(sql):
        kind, text = str(match.lastgroup), match[0]
        if kind == "tag":
            kind = "STRING"
        if kind == "SPACE":
            continue
        if kind == "SIGN" and text in "'\"`":
            raise SqlError("ERROR: unterminated quoted string")
        if kind == "STRING" and text.startswith("'"):
            text = text[1:-1].replace("''", "'")
        elif kind == "STRING":
            text = text[len(match["tag"]) + 2 : -len(match["tag"]) - 2]
        elif kind == "IDENTIFIER":
            text = text[1:-1].replace('""', '"')
        found.append(Word(kind, text, match.start(), match.end()))
    return found


def statements(sql: str) -> list[list[Word]]:
    """The words of each of the statements that semicolons separate; empty ones are left out.

    Raises:
        SqlError: a quotation has no end.
    """
    parts: list[list[Word]] = [[]]
    for word in scan(sql):
        if word.kind == "SIGN" and word.text == ";":
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


class Words:
    """A place among the words of one statement.

    words: of the statement, or of a part of it; all of `sql` without them.
    """

    def __init__(self, sql: str, words: Sequence[Word] | None = None) -> None:
        self.sql = sql
        self.words = scan(sql) if words is None else list(words)
        self.position = 0

    @property
    def ended(self) -> bool:
        return self.position >= len(self.words)

    def peek(self, ahead: int = 0) -> str:
        """The next word in capitals; empty at the end. What is in quotes is never a word."""
        place = self.position + ahead
        if self.kind(ahead) in ("", "STRING", "IDENTIFIER"):
            return ""
        return self.words[place].text.upper()

    def kind(self, ahead: int = 0) -> str:
        place = self.position + ahead
        return self.words[place].kind if place < len(self.words) else ""

    def accept(self, *words: str) -> bool:
        """Go past these words, if all of them come next."""
        if any(self.peek(ahead) != word for ahead, word in enumerate(words)):
            return False
        self.position += len(words)
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def unexpected(self) -> SqlError:
        if self.ended:
            return SqlError("ERROR: syntax error at end of input")
        return SqlError(f'ERROR: syntax error at or near "{self.words[self.position].text}"')

    def end(self) -> None:
        """Raises SqlError: there is more."""
        if not self.ended:
            raise self.unexpected()

    def name(self) -> str:
        """An identifier, in small letters as Redshift keeps them."""
        if self.ended or self.kind() in ("STRING", "NUMBER") or not self.is_name():
            raise self.unexpected()
        self.position += 1
        return self.words[self.position - 1].text.lower()

    def is_name(self) -> bool:
        text = self.words[self.position].text
        return (
            self.kind() == "IDENTIFIER" or text.replace("$", "_").replace("#", "_").isidentifier()
        )

    def names(self) -> list[str]:
        """`database.schema.table` in parts."""
        found = [self.name()]
        while self.accept("."):
            found.append(self.name())
        return found

    def text(self) -> str:
        """A text in quotes."""
        if self.kind() != "STRING":
            raise self.unexpected()
        self.position += 1
        return self.words[self.position - 1].text

    def number(self) -> int:
        if self.kind() != "NUMBER" or not self.peek().isdigit():
            raise self.unexpected()
        self.position += 1
        return int(self.words[self.position - 1].text[:18])

    def group(self) -> "Words":
        """What stands between parentheses that open here."""
        self.expect("(")
        start, depth = self.position, 1
        while not self.ended:
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self.position += 1
            if depth == 0:
                return Words(self.sql, self.words[start : self.position - 1])
        raise SqlError("ERROR: syntax error at end of input")

    def items(self) -> "list[Words]":
        """The parts that commas separate, those in parentheses left alone."""
        parts: list[list[Word]] = [[]]
        depth = 0
        for word in self.words[self.position :]:
            sign = word.text if word.kind == "SIGN" else ""
            depth += {"(": 1, ")": -1}.get(sign, 0)
            if sign == "," and depth == 0:
                parts.append([])
            else:
                parts[-1].append(word)
        return [Words(self.sql, part) for part in parts]

    def column_names(self) -> list[str]:
        """`(a, b)`"""
        found = []
        for item in self.group().items():
            found.append(item.name())
            item.end()
        return found

    def between(self, start: int) -> str:
        """The text from an earlier place to here."""
        if start >= self.position:
            return ""
        return self.sql[self.words[start].start : self.words[self.position - 1].end]

    def rest(self) -> str:
        """The text from here to the end."""
        left = self.words[self.position :]
        return self.sql[left[0].start : left[-1].end] if left else ""

    def skip(self) -> None:
        self.position += 1
