"""The terms of the glossary page, for the search and for the translation gate."""

import re
from collections.abc import Iterator

GLOSSARY = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{glossary\}[^\n]*\n(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


def spellings(page: str) -> Iterator[list[str]]:
    """The lines above a definition are spellings of one term."""
    for directive in GLOSSARY.finditer(page):
        group: list[str] = []
        for line in directive["body"].splitlines():
            if line[:1].isspace():
                yield from [group] if group else []
                group = []
            elif line and not line.startswith((":", "..")):
                group.append(line.strip())
