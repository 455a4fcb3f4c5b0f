"""Rules of composite alarms: `ALARM("errors") AND NOT OK(latency)`."""

import ast
import re
from collections.abc import Callable

CONDITION = re.compile(
    r"\b(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s()\"']+))\s*\)"
)
WORDS = {"AND": "and", "OR": "or", "NOT": "not", "TRUE": "True", "FALSE": "False"}


class BadRule(Exception):
    """No rule of a composite alarm; the message is for the caller."""


def conditions(rule: str) -> list[tuple[str, str]]:
    """The states that a rule asks for, each with the name of the alarm."""
    return [
        (found[1], (found[2] or found[3] or found[4]).rpartition(":alarm:")[2])
        for found in CONDITION.finditer(rule)
    ]


def holds(rule: str, state_of: Callable[[str], str | None]) -> bool:
    """Whether a rule holds when the alarms are in these states.

    Raises:
        BadRule: it is none.
    """
    asked = conditions(rule)
    numbered = iter(range(len(asked)))
    text = CONDITION.sub(lambda found: f" c{next(numbered)} ", rule)
    text = re.sub(r"\b(AND|OR|NOT|TRUE|FALSE)\b", lambda found: WORDS[found[0]], text)

    def value(node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name) if name[1:].isdigit() and int(name[1:]) < len(asked):
                state, alarm = asked[int(name[1:])]
                return state_of(alarm) == state
            case ast.Constant(value=bool() as constant):
                return constant
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not value(operand)
            case ast.BoolOp(op=op, values=parts):
                said = [value(part) for part in parts]  # all of them: each may be no rule
                return all(said) if isinstance(op, ast.And) else any(said)
        raise BadRule("AlarmRule is invalid.")

    try:
        return value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadRule("AlarmRule is invalid.") from error
