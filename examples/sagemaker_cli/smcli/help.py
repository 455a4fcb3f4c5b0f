"""Help that fits into the terminal in both languages: a Japanese character takes two columns.

Click counts characters and breaks lines at spaces, which Japanese does not have.
"""

import re
from collections.abc import Iterable, Iterator
from unicodedata import east_asian_width

import click

# What may be parted: words with the space behind them, and wide characters one by one; a closing
# sign is never the first of a line.
PIECE = re.compile(
    r"(?:[^\s\u3000-\u9fff\uff00-\uffef]+|[\u3000-\u9fff\uff00-\uffef])[、。，．）」』？！ー]*\s*|\s+"
)
LONGEST_NAME = 30  # columns; the text of a longer one begins below it


def columns(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def folded(text: str, width: int) -> Iterator[str]:
    """The lines of a text, none wider than `width`, unless a single word is."""
    line = ""
    for piece in PIECE.findall(" ".join(text.split())):
        if line and columns(line + piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
    yield line.rstrip()


class Formatter(click.HelpFormatter):
    """Click's, with lines folded by columns."""

    def write_text(self, text: str) -> None:
        for line in folded(text, max(self.width - self.current_indent, 20)):
            self.write(f"{' ' * self.current_indent}{line}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = LONGEST_NAME, col_spacing: int = 2
    ) -> None:
        listed = list(rows)
        first = (
            min(max((columns(name) for name, _text in listed), default=0), col_max) + col_spacing
        )
        before = " " * self.current_indent
        for name, text in listed:
            lines = list(folded(text, max(self.width - self.current_indent - first, 20)))
            if columns(name) > first - col_spacing:
                self.write(f"{before}{name}\n")
            else:
                pad = " " * (first - columns(name))
                self.write(f"{before}{name}{pad}{lines.pop(0)}".rstrip() + "\n")
            for line in lines:
                self.write(f"{before}{' ' * first}{line}\n")


class Context(click.Context):
    """Click's, with this help."""

    formatter_class = Formatter
