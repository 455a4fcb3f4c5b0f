"""The table in README.md, kept equal to the code."""

import re
from pathlib import Path

from awslab import embedded  # noqa: F401  (importing it registers all patches)
from awslab.extension import table

TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)


def with_table(text: str) -> str:
    return TABLE.sub(lambda _: table(), text)


def write_table(path: Path) -> None:
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
