"""What SageMaker asks of a tuning job beyond the form of the request."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from moto.sagemaker.exceptions import ValidationError

Definition = Mapping[str, Any]
Ranges = Mapping[str, Any]

KINDS = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")
MOST_SEARCHED = 30
MOST_METRICS = 20
# Hyperparameters from which Hyperband infers how many epochs a training job may use at most.
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
MOST_EPOCHS = 20_000


def definitions_of(request: Mapping[str, Any]) -> list[Definition]:
    """The training job definitions, whether there is one or several.

    Raises:
        ValidationError: none, both forms, or several without names of their own.
    """
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    if (one is None) == (not several):
        refuse("Either TrainingJobDefinition or TrainingJobDefinitions must be provided, not both.")
    if one is not None:
        return [one]
    named: list[Definition] = list(several or [])
    names = [definition.get("DefinitionName") for definition in named]
    if None in names or len(set(names)) != len(names):
        refuse("Each training job definition must have a unique DefinitionName.")
    return named


def check(request: Mapping[str, Any]) -> None:
    """Hold a CreateHyperParameterTuningJob request against the service's rules.

    Raises:
        ValidationError: with the first rule that it breaks.
    """
    config = request["HyperParameterTuningJobConfig"]
    strategy = config["Strategy"]
    definitions = definitions_of(request)
    for definition in definitions:
        objective_of(config, definition)
        check_definition(strategy, ranges_of(config, definition), definition)
    limits = config["ResourceLimits"]
    check_amount(strategy, limits, [ranges_of(config, d) for d in definitions])
    if strategy == "Hyperband":
        check_hyperband(config, definitions)
    elif config.get("StrategyConfig"):
        refuse("StrategyConfig can only be specified for the Hyperband strategy.")
    most = limits.get("MaxNumberOfTrainingJobs")
    if most is not None and limits["MaxParallelTrainingJobs"] > most:
        refuse("MaxParallelTrainingJobs cannot be greater than MaxNumberOfTrainingJobs.")


def objective_of(config: Mapping[str, Any], definition: Definition) -> Mapping[str, str]:
    """The metric that the search looks at: of the job, or of one definition among several."""
    objective = definition.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
    if objective is None:
        refuse("An objective metric must be specified.")
    return dict(objective)


def ranges_of(config: Mapping[str, Any], definition: Definition) -> Ranges:
    found: Ranges = definition.get("HyperParameterRanges") or config.get("ParameterRanges") or {}
    return found


def check_definition(strategy: str, ranges: Ranges, definition: Definition) -> None:
    names = [item["Name"] for kind in KINDS for item in ranges.get(kind) or []]
    if not names:
        refuse("At least one hyperparameter range must be specified.")
    if len(names) > MOST_SEARCHED:
        refuse(f"No more than {MOST_SEARCHED} hyperparameters can be searched.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        refuse(f"Duplicate hyperparameter names in the ranges: {twice}")
    both = sorted(set(names) & set(definition.get("StaticHyperParameters") or {}))
    if both:
        refuse(f"Hyperparameters cannot be both static and tunable: {both}")
    if strategy == "Grid" and (
        ranges.get("IntegerParameterRanges") or ranges.get("ContinuousParameterRanges")
    ):
        refuse("Grid search supports only categorical hyperparameter ranges.")
    for item in ranges.get("IntegerParameterRanges") or []:
        check_range(item, int)
    for item in ranges.get("ContinuousParameterRanges") or []:
        check_range(item, float)
    for item in ranges.get("CategoricalParameterRanges") or []:
        if len(set(item["Values"])) != len(item["Values"]):
            refuse(f"Duplicate values in the categorical range of {item['Name']}.")
    metrics = definition["AlgorithmSpecification"].get("MetricDefinitions") or []
    if len(metrics) > MOST_METRICS:
        refuse(f"No more than {MOST_METRICS} metrics can be specified per tuning job.")


def check_range(item: Mapping[str, str], number: type[int] | type[float]) -> None:
    """Bounds in order, and a scale that they allow."""
    name, scale = item["Name"], item.get("ScalingType", "Auto")
    try:
        least, most = number(item["MinValue"]), number(item["MaxValue"])
    except ValueError:
        kind = "integers" if number is int else "numbers"
        refuse(f"MinValue and MaxValue of the hyperparameter {name} must be {kind}.")
    if not (math.isfinite(least) and math.isfinite(most)) or least > most:
        refuse(f"MinValue of the hyperparameter {name} must not be greater than its MaxValue.")
    if scale == "Logarithmic" and least <= 0:
        refuse(f"Logarithmic scaling of {name} requires values greater than 0.")
    if scale == "ReverseLogarithmic":
        if number is int:
            refuse(f"ReverseLogarithmic scaling of {name} requires a continuous range.")
        if least < 0 or most >= 1:
            refuse(f"ReverseLogarithmic scaling of {name} requires values in the range 0 <= x < 1.")


def combinations(ranges: Ranges) -> int:
    return math.prod(len(item["Values"]) for item in ranges.get(KINDS[2]) or [])


def check_amount(strategy: str, limits: Mapping[str, Any], all_ranges: Sequence[Ranges]) -> None:
    """How many training jobs: counted by Grid itself, told by the user otherwise."""
    most = limits.get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        count = sum(combinations(ranges) for ranges in all_ranges)
        if most is not None and most != count:
            refuse(
                f"MaxNumberOfTrainingJobs is {most}, but the grid has {count} combinations. "
                "Leave it out, or set it to that number."
            )
    elif most is None and "MaxRuntimeInSeconds" not in limits:
        refuse(f"MaxNumberOfTrainingJobs must be specified for the {strategy} strategy.")


def check_hyperband(config: Mapping[str, Any], definitions: Sequence[Definition]) -> None:
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        refuse("TrainingJobEarlyStoppingType must be Off for the Hyperband strategy.")
    for definition in definitions:
        least, most = resources(config, definition)
        if most is None:
            refuse(
                "Hyperband requires MaxResource in HyperbandStrategyConfig, or one of the "
                f"hyperparameters {list(EPOCHS)}."
            )
        elif not least <= most <= MOST_EPOCHS:
            refuse(f"MaxResource must be between MinResource and {MOST_EPOCHS}.")


def resources(config: Mapping[str, Any], definition: Definition) -> tuple[int, int | None]:
    """Epochs that Hyperband gives to a training job, at least and at most."""
    asked = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
    most = asked.get("MaxResource")
    if most is None:
        most = next(iter(inferred(definition)), None)
    return asked.get("MinResource", 1), most


def inferred(definition: Definition) -> Iterator[int]:
    for name, value in (definition.get("StaticHyperParameters") or {}).items():
        if name in EPOCHS and value.isdigit():
            yield int(value)


def refuse(message: str) -> NoReturn:
    raise ValidationError(message=message)
