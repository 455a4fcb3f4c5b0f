"""The mirrored trees match: page, catalog, examples, records and tests bear the same names.

    docs/<section>/<slug>.md    examples/<slug>/<name>.py    tests/<slug>/test_<name>.py

A `-` in the name of a page is a `_` in the other two. Pages and examples also keep the rules that
a program can see: no untested code in a page (what stands in a `bash` fence is run by
tests/site/test_shell_blocks.py), a label before every heading, no lab in an example.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SHOWN = re.compile(r"^:{3,}\{(?:example|sql|shell)\} (\S+)$", re.MULTILINE)
FENCE = re.compile(
    r"^[`:]{3,}(?:\{code-block\} *)?(python|sh|shell|console|py|sql)\b", re.MULTILINE
)
HEADING = re.compile(r"^#{1,6} ")
LABEL = re.compile(r"^\([a-z0-9-]+\)=$")
HTML = re.compile(r"^\s*</?[a-z][a-z0-9-]*[\s>]|<br ?/?>")
REFERENCE_LINK = re.compile(r"\]\[[^\]]*\]")
ACCOUNT = re.compile(r"(?<![\d.])\d{12}(?!\d)")
PLACEHOLDERS = {"111122223333", "444455556666"}
REGISTRIES = {"354813040037", "430734990657"}  # AWS's own: XGBoost's images and Debugger's, Tokyo
PROGRAMS = {".py", ".sql"}  # an example runs by a scenario, a .sh by itself
RECORDS = (".out", ".run.json", ".policy.json", ".figures.json")
NOT_EXAMPLES = {"awslab"}
# Of what speaks both languages; its scenarios are those of its commands.
BILINGUAL = {"sagemaker_cli"}
FIRST_PAGES = {"sagemaker_cli": "docs/cli/index.md"}
LAUNCHER = "examples/sagemaker_cli/script.sh"  # starts the program beside it
# A library calls the methods of a subclass of these: no function can take its place.
DEMANDED = {
    "aws_cdk.Stack",
    "http.server.BaseHTTPRequestHandler",
    "smdebug.rules.Rule",
    "torch.nn.Module",
    "xgboost.callback.TrainingCallback",
}


def pages(root: Path) -> list[Path]:
    """The pages of the site; folders that begin with _ belong to the build."""
    docs = root / "docs"
    found = docs.rglob("*.md")
    return sorted(
        p for p in found if not any(part.startswith("_") for part in p.relative_to(docs).parts)
    )


def example_files(root: Path) -> list[Path]:
    found = set((root / "examples").glob("*/*")) - {root / LAUNCHER}
    return sorted(
        p for p in found if p.suffix in {*PROGRAMS, ".sh"} and p.parent.name not in NOT_EXAMPLES
    )


def check_trees(root: Path) -> Iterator[str]:
    """Every example is shown, tested and recorded, and nothing else lies there."""
    slugs = {page.stem.replace("-", "_") for page in pages(root)}
    slugs |= {slug for slug, page in FIRST_PAGES.items() if (root / page).exists()}
    shown = {
        name for page in pages(root) for name in SHOWN.findall(page.read_text(encoding="utf-8"))
    }
    files = example_files(root)
    for path in files:
        slug, name = path.parent.name, path.stem
        where = path.relative_to(root)
        if f"{slug}/{name}" not in shown:
            yield f"{where}: on no page: show it with the directive example or shell"
        if slug not in slugs:
            yield f"{where}: no page docs/*/{slug.replace('_', '-')}.md"
        test = "walks" if slug in BILINGUAL else name  # one for all its shell scripts
        if not (root / "tests" / slug / f"test_{test}.py").exists():
            yield f"{where}: no test tests/{slug}/test_{test}.py"
        for ending in endings(path):
            if not path.with_suffix(ending).exists():
                yield f"{where}: no {name}{ending}: run make record"
    known = {f"{path.parent.name}/{path.stem}" for path in files}
    if len(known) < len(files):
        names = Counter(f"{path.parent.name}/{path.stem}" for path in files)
        yield from (
            f"examples/{name}: two examples of one name" for name in names if names[name] > 1
        )
    for folder in sorted({path.parent for path in files}):
        for record in sorted(folder.glob("*")):
            name = f"{folder.name}/{record.name.partition('.')[0]}"
            if record.name.endswith(RECORDS) and name not in known:
                yield f"{record.relative_to(root)}: a record without example: delete it"
        scenarios = folder / "scenarios.toml"
        programs = {p.stem for p in files if p.parent == folder and p.suffix in PROGRAMS}
        listed = (
            set(tomllib.loads(scenarios.read_text(encoding="utf-8")))
            if scenarios.exists()
            else set()
        )
        for name in sorted(programs ^ listed if folder.name not in BILINGUAL else ()):
            what = "has no scenario" if name in programs else "is a scenario without example"
            yield f"{scenarios.relative_to(root)}: {name} {what}"


def endings(path: Path) -> tuple[str, ...]:
    """The records that an example must have."""
    if path.suffix in PROGRAMS:
        return RECORDS[:2]
    return (".ja.out", ".en.out") if path.parent.name in BILINGUAL else RECORDS[:1]


def check_page(path: Path, root: Path) -> Iterator[str]:
    """The rules of a page that its text shows."""
    where = path.relative_to(root)
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if not re.search(r"^    description: \S", text, re.MULTILINE):
        yield f"{where}:1: no description under myst: html_meta in the front matter"
    for match in FENCE.finditer(text):
        number = text.count("\n", 0, match.start()) + 1
        yield f"{where}:{number}: a {match[1]} fence: put it into examples/ and show that file"
    inside = False
    for number, line in enumerate(lines, 1):
        if re.match(r"(`{3,}|~{3,})", line):
            inside = not inside
        if inside:
            continue
        if HEADING.match(line) and not LABEL.match(lines[number - 2]):
            yield f"{where}:{number}: no (label)= directly above the heading"
        if HTML.search(line):
            yield f"{where}:{number}: raw HTML: it is not translated"
        if REFERENCE_LINK.search(line):
            yield f"{where}:{number}: a reference link: write the address inline"


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the top-level name of each module that a program imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)


def check_example(path: Path, root: Path) -> Iterator[str]:
    """The rules of an example that its text shows."""
    where = path.relative_to(root)
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        for account in set(ACCOUNT.findall(line)) - PLACEHOLDERS - REGISTRIES:
            yield f"{where}:{number}: {account} looks like a real account: use 111122223333"
    if path.suffix != ".py":
        return
    tree = ast.parse(text)
    if not ast.get_docstring(tree):
        yield f"{where}:1: no docstring that says what the program does"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not DEMANDED & set(map(ast.unparse, node.bases)):
            yield f"{where}:{node.lineno}: a class: examples are functions that take the client"
    for at, name in imports(tree):
        if name in {"moto", "awslab"}:
            yield f"{where}:{at}: imports {name}: only the environment decides"
    for node in tree.body:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name != "main"
            and not ast.get_docstring(node)
        ):
            yield f"{where}:{node.lineno}: {node.name} has no docstring"
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) and "client(" in ast.unparse(
            node
        ):
            yield f"{where}:{node.lineno}: a client at import: make it in main()"


def check(root: Path) -> list[str]:
    problems = list(check_trees(root))
    for page in pages(root):
        problems += check_page(page, root)
    for example in example_files(root):
        problems += check_example(example, root)
    return problems


def main() -> int:
    problems = check(Path.cwd())
    print(*problems, f"mirrors: {len(problems)} problems", sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
