"""Pipeline definitions (schema 2020-12-01): what is wrong with one, and what its references mean.

A step's arguments are the request of the operation that it calls. Any value in them may be a
reference, which is resolved when the step starts: `{"Get": "Parameters.Epochs"}`,
`{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}`, `{"Std:Join": …}`, `{"Std:JsonGet": …}`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import get_service_model

from awslab import objects

VERSIONS = ("2020-12-01",)
STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
STEP_OF = re.compile(r"Steps\.([A-Za-z0-9\-_]+)")
PART = re.compile(r"""\.?([^.\[\]]+)|\[(\d+)\]|\[(['"])(.*?)\3\]""")

# The operation whose request a step's arguments are; None: the arguments have a form of their own.
CALLS: dict[str, str | None] = {
    "Training": "CreateTrainingJob",
    "Processing": "CreateProcessingJob",
    "Transform": "CreateTransformJob",
    "Tuning": "CreateHyperParameterTuningJob",
    "AutoML": "CreateAutoMLJobV2",
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
    "EndpointConfig": "CreateEndpointConfig",
    "Endpoint": "CreateEndpoint",
} | dict.fromkeys(
    (
        "Callback",
        "ClarifyCheck",
        "Cleanup",
        "Condition",
        "EMR",
        "EMRServerless",
        "Fail",
        "ForEach",
        "InferenceComponent",
        "Job",
        "Lambda",
        "Lineage",
        "QualityCheck",
    )
)
TYPES = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
COMPARISONS = {
    "Equals": lambda left, right: left == right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}
TRIGGERS = {
    "Completed": {"Succeeded"},
    "Failed": {"Failed"},
    "Stopped": {"Stopped"},
    "Any": {"Succeeded", "Failed", "Stopped"},
}

Json = Mapping[str, Any]


class Malformed(Exception):
    """A text that is no pipeline definition; the message says why, in AWS's words."""


class Unresolved(Exception):
    """A reference that leads nowhere, or a condition that cannot be evaluated."""


# --- what a definition holds ----------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One step.

    text: the step as it stands in the definition.
    needs: the steps that must have ended before, each with the states that it may have ended in.
    gate: the condition step whose branch this step is in, and the outcome that leads here.
    """

    name: str
    kind: str
    arguments: Any
    text: Json
    needs: tuple[tuple[str, frozenset[str]], ...]
    gate: tuple[str, bool] | None


@dataclass
class Definition:
    """A definition that has been checked. steps: all of them, those of branches included."""

    text: Json
    parameters: dict[str, Json] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)

    def handles_failure_of(self, name: str) -> bool:
        """Whether some step waits for this one to fail."""
        return any(
            needed == name and "Failed" in states
            for step in self.steps.values()
            for needed, states in step.needs
        )


def parse(text: str) -> Definition:
    """A definition from its JSON text.

    Raises:
        Malformed: it is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("The definition is not valid JSON.") from None
    definition = Definition(an_object(document))
    if document.get("Version") not in VERSIONS:
        raise Malformed(f"Version must be one of {', '.join(VERSIONS)}.")
    for parameter in a_list(document.get("Parameters") or []):
        add_parameter(definition, an_object(parameter))
    steps = a_list(document.get("Steps"))
    if not steps:
        raise Malformed("The definition must have at least one step.")
    for step in steps:
        add_step(definition, an_object(step), None)
    check_references(definition)
    check_order(definition)
    return definition


def an_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("Expecting start of Json Object.")
    return value


def a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("Expecting start of Json Array.")
    return value


def add_parameter(definition: Definition, parameter: Json) -> None:
    name, kind = parameter.get("Name"), parameter.get("Type")
    if not isinstance(name, str) or not name:
        raise Malformed("Each parameter must have a Name.")
    if name in definition.parameters:
        raise Malformed(f"Parameter names must be unique. Duplicate parameter name: '{name}'.")
    if not isinstance(kind, str) or kind not in TYPES:
        raise Malformed(f"Parameter '{name}' must have a Type of {', '.join(TYPES)}.")
    default = parameter.get("DefaultValue")
    if default is not None and not is_of(kind, default):
        raise Malformed(f"The DefaultValue of parameter '{name}' is not of type {kind}.")
    definition.parameters[name] = parameter


def is_of(kind: str, value: Any) -> bool:
    if kind == "Float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind]) and isinstance(value, bool) == (kind == "Boolean")


def add_step(definition: Definition, step: Json, gate: tuple[str, bool] | None) -> None:
    name, kind = step.get("Name"), step.get("Type")
    if not isinstance(name, str) or not STEP_NAME.fullmatch(name):
        raise Malformed("Each step must have a Name of at most 64 letters, digits, '-' and '_'.")
    if name in definition.steps:
        raise Malformed(f"Step names must be unique. Duplicate step name: '{name}'.")
    if not isinstance(kind, str) or kind not in CALLS:
        raise Malformed(f"Unknown step type '{kind}' of step '{name}'.")
    arguments = an_object(step.get("Arguments", {}))
    if is_reference(arguments):
        raise Malformed(f"Unknown Argument member '{next(iter(arguments))}'")
    for file in a_list(step.get("PropertyFiles") or []):
        if not {"PropertyFileName", "OutputName", "FilePath"} <= an_object(file).keys():
            raise Malformed(f"Step '{name}' has an incomplete property file.")
    operation, own = CALLS[kind], arguments
    if operation:
        check_arguments(arguments, get_service_model("sagemaker").operation_model(operation))
    if kind == "Condition":
        own = {"Conditions": arguments.get("Conditions")}
        for condition in a_list(own["Conditions"]):
            check_condition(condition)
    needs = dict(explicit_needs(step))
    for reference in references(own):
        found = STEP_OF.match(reference)
        if found:
            needs.setdefault(found[1], frozenset({"Succeeded"}))
    definition.steps[name] = Step(name, kind, own, step, tuple(needs.items()), gate)
    for branch, outcome in (("IfSteps", True), ("ElseSteps", False)):
        for inner in a_list(arguments.get(branch) or []) if kind == "Condition" else []:
            add_step(definition, an_object(inner), (name, outcome))


def explicit_needs(step: Json) -> Iterator[tuple[str, frozenset[str]]]:
    for needed in a_list(step.get("DependsOn") or []):
        if isinstance(needed, dict):
            name, trigger = needed.get("Step"), needed.get("Trigger", "Completed")
        else:
            name, trigger = needed, "Completed"
        if not isinstance(name, str) or trigger not in TRIGGERS:
            raise Malformed(f"Step '{step['Name']}' has an invalid DependsOn.")
        yield name, frozenset(TRIGGERS[trigger])


def check_arguments(arguments: Json, operation: Any) -> None:
    """Hold them against the operation's model, but for what references stand for."""
    check_value(arguments, operation.input_shape)


def check_value(value: Any, shape: Any) -> None:
    if value is None or is_reference(value):
        return
    if shape.type_name == "structure":
        for name, inner in an_object(value).items():
            if name not in shape.members:
                raise Malformed(f"Unknown Argument member '{name}'")
            check_value(inner, shape.members[name])
    elif shape.type_name == "list":
        for inner in a_list(value):
            check_value(inner, shape.member)
    elif shape.type_name == "map":
        for inner in an_object(value).values():
            check_value(inner, shape.value)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise Malformed(
            f"Model Validation failed: Value '{value}' for '{shape.name}' failed to satisfy enum "
            f"value set: [{', '.join(shape.enum)}]"
        )


def check_condition(condition: Any) -> None:
    kind = an_object(condition).get("Type")
    if kind == "Not":
        check_condition(condition.get("Condition"))
    elif kind == "Or":
        for inner in a_list(condition.get("Conditions")):
            check_condition(inner)
    elif kind == "In":
        a_list(condition.get("Values"))
    elif not isinstance(kind, str) or kind not in COMPARISONS:
        raise Malformed(f"Unknown condition type '{kind}'.")


def is_reference(value: Any) -> bool:
    return isinstance(value, dict) and set(value) in ({"Get"}, {"Std:Join"}, {"Std:JsonGet"})


def references(value: Any) -> Iterator[str]:
    """What every `Get` in a value names."""
    if isinstance(value, dict):
        if set(value) == {"Get"}:
            yield str(value["Get"])
        else:
            for inner in value.values():
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def check_references(definition: Definition) -> None:
    for step in definition.steps.values():
        for needed, _ in step.needs:
            if needed not in definition.steps:
                raise Malformed(f"Step '{step.name}' depends on unknown step '{needed}'.")
        for reference in references(step.arguments):
            kind, _, name = reference.partition(".")
            if kind == "Parameters" and name not in definition.parameters:
                raise Malformed(f"Step '{step.name}' refers to unknown parameter '{name}'.")
            if kind not in ("Parameters", "Steps", "Execution"):
                raise Malformed(f"Step '{step.name}' has an invalid reference '{reference}'.")


def check_order(definition: Definition) -> None:
    """Whether the steps can run one after the other."""
    left = dict(definition.steps)
    while left:
        free = [name for name, step in left.items() if not left.keys() & before(step)]
        if not free:
            raise Malformed(f"The steps {', '.join(sorted(left))} depend on each other.")
        for name in free:
            del left[name]


def before(step: Step) -> set[str]:
    gate = {step.gate[0]} if step.gate else set()
    return {name for name, _ in step.needs} | gate


# --- what its references mean ---------------------------------------------------------------------


@dataclass
class Scope:
    """What references may name.

    variables: those of the execution, `PipelineExecutionId` for example.
    outputs: what each step that has ended answered.
    """

    definition: Definition
    parameters: Json
    variables: Json
    outputs: Mapping[str, Json]


def resolve(value: Any, scope: Scope) -> Any:
    """The value with what its references stand for.

    Raises:
        Unresolved: one leads nowhere.
    """
    if is_reference(value):
        ((kind, what),) = value.items()
        if kind == "Get":
            return looked_up(str(what), scope)
        return joined(what, scope) if kind == "Std:Join" else read(what, scope)
    if isinstance(value, dict):
        return {name: resolve(inner, scope) for name, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, scope) for inner in value]
    return value


def looked_up(reference: str, scope: Scope) -> Any:
    where, _, rest = reference.partition(".")
    if where == "Parameters":
        return follow(scope.parameters, rest, reference)
    if where == "Execution":
        return follow(scope.variables, rest, reference)
    step = STEP_OF.match(reference)
    if step is None or step[1] not in scope.outputs:
        raise Unresolved(f"Property reference [{reference}] cannot be resolved.")
    return follow(scope.outputs[step[1]], reference[step.end() :], reference)


def follow(value: Any, path: str, reference: str) -> Any:
    """`a.b[0].c` and `a['b']`; in a list, a name finds the element of that name."""
    place = 0
    while place < len(path):
        part = PART.match(path, place)
        if part is None:
            raise Unresolved(f"Property reference [{reference}] cannot be resolved.")
        place = part.end()
        key: Any = int(part[2]) if part[2] else part[1] or part[4]
        value = member(value, key)
        if value is None:
            raise Unresolved(f"Property reference [{reference}] cannot be resolved.")
    return value


def member(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key, value.get(str(key)))
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else None
    if isinstance(value, list):
        return next((each for each in value if isinstance(each, dict) and named(each, key)), None)
    return None


def named(element: Json, name: str) -> bool:
    """`Outputs['train']` is the element whose OutputName is `train`."""
    return any(key.endswith("Name") and value == name for key, value in element.items())


def joined(what: Any, scope: Scope) -> str:
    if not isinstance(what, dict) or not isinstance(what.get("Values"), list):
        raise Unresolved("Std:Join needs On and Values.")
    values = (resolve(value, scope) for value in what["Values"])
    return str(what.get("On", "")).join(
        str(value).lower() if isinstance(value, bool) else str(value) for value in values
    )


def read(what: Any, scope: Scope) -> Any:
    """A value out of a JSON file that an earlier step has left in S3."""
    if not isinstance(what, dict) or not isinstance(what.get("Path"), str):
        raise Unresolved("Std:JsonGet needs PropertyFile or S3Uri, and Path.")
    uri = resolve(what["S3Uri"], scope) if "S3Uri" in what else property_file(what, scope)
    try:
        content = json.loads(objects.read(str(uri)))
    except objects.NotFound as error:
        raise Unresolved(f"Unable to read {uri}: {error}") from None
    except ValueError:
        raise Unresolved(f"Contents of file {uri} are not in valid JSON format.") from None
    try:
        return follow(content, what["Path"], what["Path"])
    except Unresolved:
        raise Unresolved(f"Invalid json path '{what['Path']}' in {uri}") from None


def property_file(what: Json, scope: Scope) -> str:
    """Where a step's property file is: `Steps.<step>.PropertyFiles.<name>`."""
    (reference,) = [*references(what.get("PropertyFile")), ""][:1]
    step_name, _, name = reference.removeprefix("Steps.").partition(".PropertyFiles.")
    step = scope.definition.steps.get(step_name)
    files = (step.text.get("PropertyFiles") or []) if step else []
    found = next((each for each in files if each.get("PropertyFileName") == name), None)
    if found is None:
        raise Unresolved(f"Property file [{reference}] is not defined.")
    place = f"Steps.{step_name}.ProcessingOutputConfig.Outputs['{found['OutputName']}']"
    prefix = looked_up(f"{place}.S3Output.S3Uri", scope)
    return f"{str(prefix).rstrip('/')}/{found['FilePath']}"


# --- conditions -----------------------------------------------------------------------------------


def holds(condition: Json, scope: Scope) -> bool:
    """Whether a condition is true.

    Raises:
        Unresolved: a reference leads nowhere, or the values cannot be compared.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], scope)
    if kind == "Or":
        return any(holds(inner, scope) for inner in condition["Conditions"])
    if kind == "In":
        return resolve(condition.get("QueryValue"), scope) in resolve(condition["Values"], scope)
    left, right = (resolve(condition.get(side), scope) for side in ("LeftValue", "RightValue"))
    try:
        return bool(COMPARISONS[kind](left, right))
    except TypeError:
        raise Unresolved(
            f"Condition of type {kind} is not supported between {left!r} and {right!r}."
        ) from None
