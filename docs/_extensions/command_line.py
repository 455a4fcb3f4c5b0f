"""The reference of smcli, made from the program: `commands` and `command-table`.

    :::{commands} training processing
    :::

gives each command of these groups a section: what it does, how it is called, its arguments and
options, and in tabs the recorded output, the IAM policy and the API calls. `command-table` lists
all commands with the operations of AWS that they use and the file that tests them;
`command-settings` the options that all commands take. The texts come from the catalogs of the
program (examples/sagemaker_cli/smcli/locale), not from those of the page.
"""

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
from docutils import nodes
from example import beforehand, block, calls_table, paragraph, spoken, tab
from lab_table import Cell, as_paragraph, as_table, inline
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx_design.shared import create_component

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "sagemaker_cli"
TRANSCRIPTS = FOLDER / "transcripts"
# What stands in a help text as it is typed: as plain text, its two hyphens would become a dash.
TYPED = re.compile(r"(?<![A-Za-z0-9`-])(?:-- -var [\w=]+|--[a-z][a-z0-9-]*|smcli [a-z]+)", re.ASCII)
TESTS = {"terraform": "terraform_commands"}  # where they are not named like the module
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))

from smcli.command import settings  # noqa: E402
from smcli.main import GROUPS, MODULE_OF, cli  # noqa: E402


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """The program speaks this language, and finds nothing of the builder's own settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SAGEMAKER_")}
    with patch.dict(os.environ, kept | {"LANGUAGE": language}, clear=True):
        yield


def get(name: str) -> Any:
    return cli.get_command(click.Context(cli), name)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def marked(text: str) -> str:
    """A help text with what is typed as code."""
    return TYPED.sub(r"`\g<0>`", text)


def records(params: list[click.Parameter], ctx: click.Context) -> list[list[str]]:
    """How each argument or option is written, and what it does."""
    found = [param.get_help_record(ctx) for param in params]
    return [[code(record[0]), marked(record[1])] for record in found if record]


class CommandLine(SphinxDirective):
    """What the directives share."""

    def run(self) -> list[nodes.Node]:
        for path in (FOLDER / "smcli").rglob("*.[pm]*"):
            self.env.note_dependency(str(path))
        with speaking(self.config.language):
            return self.made()

    def made(self) -> list[nodes.Node]:
        raise NotImplementedError


class Commands(CommandLine):
    required_arguments = 1
    final_argument_whitespace = True

    def made(self) -> list[nodes.Node]:
        tables = tomllib.loads(self.read(FOLDER / "scenarios.toml"))
        if unknown := [group for group in self.arguments[0].split() if group not in GROUPS]:
            raise self.error(f"no group of commands {unknown[0]}; there are {', '.join(GROUPS)}")
        names = [name for group in self.arguments[0].split() for name in GROUPS[group][1]]
        return [self.section(name, tables.get(name, {})) for name in names]

    def read(self, path: Path) -> str:
        self.env.note_dependency(str(path))
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise self.error(f"{error.filename} is missing: run make record") from error

    def section(self, name: str, table: dict[str, Any]) -> nodes.section:
        command = get(name)
        ctx = click.Context(command, info_name=f"smcli {name}")
        label = f"cli-{name}"
        section = nodes.section("", ids=[label], names=[label])
        section += nodes.title(name, name, translatable=False)
        self.state.document.note_explicit_target(section, section)
        section += as_paragraph(marked(command.help))
        usage = f"{ctx.command_path} {' '.join(command.collect_usage_pieces(ctx))}"
        section += block(usage, "text")
        own = [*command.params[: command.own]]
        if rows := records(own, ctx):
            section += as_table([[_("Argument or option"), _("Meaning")], *rows])
        section += create_component(
            "tab-set", classes=["sd-tab-set"], children=self.tabs(name, table)
        )
        return section

    def tabs(self, name: str, table: dict[str, Any]) -> list[nodes.Node]:
        text = self.read(TRANSCRIPTS / f"{name}.{self.config.language}.out")
        tabs = [tab(_("Output"), spoken(text), *beforehand(table), selected=True)]
        if get(name).calls:
            policy = self.read(TRANSCRIPTS / f"{name}.policy.json")
            facts = json.loads(self.read(TRANSCRIPTS / f"{name}.run.json"))
            told = [paragraph(_("With this policy, and nothing else allowed, this run succeeds."))]
            if undoing := ", ".join(map(code, get(name).undoing)):
                text = _("To undo its work after a failure, it also calls %(operations)s.")
                inner = inline(text % {"operations": undoing})
                told.append(nodes.paragraph("", "", *inner))
            tabs.append(tab(_("Permissions"), *told, block(policy, "json")))
            tabs.append(tab(_("API calls"), calls_table(facts["calls"])))
        return tabs


class CommandTable(CommandLine):
    def made(self) -> list[nodes.Node]:
        heading = [_("Command"), _("What it does"), _("API operations"), _("Tests")]
        rows: list[list[Cell]] = [[*heading]]
        for name, module in MODULE_OF.items():
            command = get(name)
            none = _("those of Terraform") if module == "terraform" else _("none")
            operations = ", ".join(map(code, command.calls)) or none
            tests = code(f"test_{TESTS.get(module, module)}.py")
            rows.append([[self.link(name)], marked(command.help), operations, tests])
        return [as_table(rows)]

    def link(self, name: str) -> nodes.paragraph:
        """To the section of a command."""
        target = addnodes.pending_xref(
            "",
            nodes.literal("", name),
            refdomain="std",
            reftype="ref",
            reftarget=f"cli-{name}",
            refexplicit=True,
            refdoc=self.env.docname,
        )
        return nodes.paragraph("", "", target)


class CommandSettings(CommandLine):
    def made(self) -> list[nodes.Node]:
        rows = records(list(settings()), click.Context(cli))
        return [as_table([[_("Option"), _("Meaning")], *rows])]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("commands", Commands)
    app.add_directive("command-table", CommandTable)
    app.add_directive("command-settings", CommandSettings)
    return {"version": "1", "parallel_read_safe": False}
