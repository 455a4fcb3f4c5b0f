"""The rules of tuning jobs, and what their search proposes."""

from typing import Any

import pytest
from awslab.services.sagemaker import tuning_rules
from awslab.services.sagemaker.tuning_search import Search
from moto.sagemaker.exceptions import ValidationError

DEPTH = {"Name": "max_depth", "MinValue": "2", "MaxValue": "8"}
ETA = {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
BOOSTER = {"Name": "booster", "Values": ["gbtree", "dart"]}


def request(strategy: str = "Bayesian", **changes: Any) -> dict[str, Any]:
    """A request that breaks no rule; `changes` go into its config."""
    ranges: dict[str, Any] = {"IntegerParameterRanges": [DEPTH], "ContinuousParameterRanges": [ETA]}
    limits = {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2}
    if strategy == "Grid":
        ranges = {"CategoricalParameterRanges": [BOOSTER, {"Name": "seed", "Values": ["1", "2"]}]}
        limits = {"MaxParallelTrainingJobs": 2}
    config = {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
        "ResourceLimits": limits,
        "ParameterRanges": ranges,
    }
    if strategy == "Hyperband":
        config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MaxResource": 9}}
    return {
        "HyperParameterTuningJobConfig": config | changes,
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"num_round": "10"},
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
        },
    }


def said_of(request: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        tuning_rules.check(request)
    return str(refused.value.message)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random", "Grid", "Hyperband"])
def test_a_request_in_order_passes(strategy: str) -> None:
    tuning_rules.check(request(strategy))


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ({}, "At least one hyperparameter range must be specified."),
        (
            {"IntegerParameterRanges": [DEPTH | {"MinValue": "9"}]},
            "MinValue of the hyperparameter max_depth must not be greater than its MaxValue.",
        ),
        (
            {"IntegerParameterRanges": [DEPTH | {"MinValue": "2.5"}]},
            "MinValue and MaxValue of the hyperparameter max_depth must be integers.",
        ),
        (
            {"ContinuousParameterRanges": [ETA | {"MaxValue": "high"}]},
            "MinValue and MaxValue of the hyperparameter eta must be numbers.",
        ),
        (
            {"ContinuousParameterRanges": [ETA | {"MaxValue": "nan"}]},
            "MinValue of the hyperparameter eta must not be greater than its MaxValue.",
        ),
        (
            {"ContinuousParameterRanges": [ETA | {"MinValue": "0"}]},
            "Logarithmic scaling of eta requires values greater than 0.",
        ),
        (
            {"IntegerParameterRanges": [DEPTH | {"ScalingType": "ReverseLogarithmic"}]},
            "ReverseLogarithmic scaling of max_depth requires a continuous range.",
        ),
        (
            {
                "ContinuousParameterRanges": [
                    ETA | {"MaxValue": "1.0", "ScalingType": "ReverseLogarithmic"}
                ]
            },
            "ReverseLogarithmic scaling of eta requires values in the range 0 <= x < 1.",
        ),
        (
            {"IntegerParameterRanges": [DEPTH, DEPTH]},
            "Duplicate hyperparameter names in the ranges: ['max_depth']",
        ),
        (
            {"CategoricalParameterRanges": [{"Name": "seed", "Values": ["1", "1"]}]},
            "Duplicate values in the categorical range of seed.",
        ),
        (
            {"IntegerParameterRanges": [DEPTH | {"Name": "num_round"}]},
            "Hyperparameters cannot be both static and tunable: ['num_round']",
        ),
        (
            {"IntegerParameterRanges": [DEPTH | {"Name": f"p{n}"} for n in range(31)]},
            "No more than 30 hyperparameters can be searched.",
        ),
    ],
)
def test_ranges_that_are_refused(ranges: dict[str, Any], said: str) -> None:
    assert said_of(request(ParameterRanges=ranges)) == said


def test_grid_takes_categorical_ranges_only() -> None:
    refused = request("Grid", ParameterRanges={"IntegerParameterRanges": [DEPTH]})
    assert said_of(refused) == "Grid search supports only categorical hyperparameter ranges."


def test_grid_counts_its_jobs_itself() -> None:
    limits = {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 1}
    assert said_of(request("Grid", ResourceLimits=limits)) == (
        "MaxNumberOfTrainingJobs is 5, but the grid has 4 combinations. "
        "Leave it out, or set it to that number."
    )
    tuning_rules.check(request("Grid", ResourceLimits=limits | {"MaxNumberOfTrainingJobs": 4}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"TrainingJobEarlyStoppingType": "Auto"},
            "TrainingJobEarlyStoppingType must be Off for the Hyperband strategy.",
        ),
        (
            {"StrategyConfig": {}},
            "Hyperband requires MaxResource in HyperbandStrategyConfig, or one of the "
            "hyperparameters ['epochs', 'numepochs', 'n-epochs', 'n_epochs', 'num_epochs'].",
        ),
        (
            {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 5, "MaxResource": 4}}},
            "MaxResource must be between MinResource and 20000.",
        ),
        (
            {"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 20_001}}},
            "MaxResource must be between MinResource and 20000.",
        ),
    ],
)
def test_hyperband_has_rules_of_its_own(changes: dict[str, Any], said: str) -> None:
    assert said_of(request("Hyperband", **changes)) == said


def test_hyperband_infers_the_epochs() -> None:
    inferred = request("Hyperband", StrategyConfig={})
    inferred["TrainingJobDefinition"]["StaticHyperParameters"]["epochs"] = "20"
    tuning_rules.check(inferred)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 9}}},
            "StrategyConfig can only be specified for the Hyperband strategy.",
        ),
        (
            {"ResourceLimits": {"MaxParallelTrainingJobs": 1}},
            "MaxNumberOfTrainingJobs must be specified for the Bayesian strategy.",
        ),
        (
            {"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 2}},
            "MaxParallelTrainingJobs cannot be greater than MaxNumberOfTrainingJobs.",
        ),
        (
            {"HyperParameterTuningJobObjective": None},
            "An objective metric must be specified.",
        ),
    ],
)
def test_configurations_that_are_refused(changes: dict[str, Any], said: str) -> None:
    assert said_of(request(**changes)) == said


def test_definitions_are_one_or_several_with_names() -> None:
    both = request()
    definition = both["TrainingJobDefinition"]
    either = "Either TrainingJobDefinition or TrainingJobDefinitions must be provided, not both."
    assert said_of(both | {"TrainingJobDefinitions": [definition]}) == either
    assert said_of({**both, "TrainingJobDefinition": None}) == either
    several = {**both, "TrainingJobDefinition": None, "TrainingJobDefinitions": [definition] * 2}
    assert said_of(several) == "Each training job definition must have a unique DefinitionName."


def search(strategy: str, **changes: Any) -> Search:
    asked = request(strategy, **changes)
    config = asked["HyperParameterTuningJobConfig"]
    return Search(config, asked["TrainingJobDefinition"], seed=1)


def proposals(found: Search, count: int) -> list[dict[str, str]]:
    """What the search proposes when a shallow tree and a high eta are good."""
    made = []
    for _ in range(count):
        asked = found.ask()
        assert asked is not None
        trial, parameters = asked
        made.append(parameters)
        found.tell(trial, float(parameters["eta"]) - int(parameters["max_depth"]))
    return made


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_a_search_stays_in_its_ranges_and_can_be_repeated(strategy: str) -> None:
    made = proposals(search(strategy), 10)
    assert all(2 <= int(p["max_depth"]) <= 8 and 0.01 <= float(p["eta"]) <= 0.5 for p in made)
    assert made == proposals(search(strategy), 10)


def test_the_bayesian_search_learns() -> None:
    made = [int(p["max_depth"]) for p in proposals(search("Bayesian"), 40)]
    assert sum(made[-10:]) / 10 < sum(made[:10]) / 10
    assert sum(made[-10:]) / 10 < 3


def test_the_grid_is_walked_once() -> None:
    walk = search("Grid")
    made = []
    while (asked := walk.ask()) is not None:
        made.append(asked[1])
        walk.tell(asked[0], 0.5)
    assert made == [{"booster": b, "seed": s} for b in ("gbtree", "dart") for s in ("1", "2")]


def test_a_reversed_scale_searches_close_to_one() -> None:
    item = {"Name": "eta", "MinValue": "0.9", "MaxValue": "0.9999"}
    ranges = {
        "IntegerParameterRanges": [DEPTH],
        "ContinuousParameterRanges": [item | {"ScalingType": "ReverseLogarithmic"}],
    }
    made = [float(p["eta"]) for p in proposals(search("Random", ParameterRanges=ranges), 60)]
    assert all(0.9 <= value <= 0.9999 for value in made)
    assert sum(value > 0.99 for value in made) > 30


def test_a_failed_job_teaches_nothing_but_ends_its_trial() -> None:
    found = search("Bayesian")
    asked = found.ask()
    assert asked
    found.tell(asked[0], None)
    assert found.ask() is not None


def test_the_median_rule_stops_a_job_that_lags_behind() -> None:
    found = search("Bayesian", TrainingJobEarlyStoppingType="Auto")
    for _ in range(4):
        asked = found.ask()
        assert asked
        assert not any(found.should_stop(asked[0], epoch, 0.8) for epoch in range(3))
        found.tell(asked[0], 0.8)
    asked = found.ask()
    assert asked
    assert found.should_stop(asked[0], 0, 0.5)


def test_without_early_stopping_no_job_is_stopped() -> None:
    found = search("Bayesian")
    for value in (0.8, 0.8, 0.8, 0.8, 0.1):
        asked = found.ask()
        assert asked and not found.should_stop(asked[0], 0, value)
        found.tell(asked[0], value)


def test_hyperband_stops_weak_jobs_and_gives_strong_ones_more() -> None:
    found = search("Hyperband")
    stopped = []
    for number in range(20):
        asked = found.ask()
        assert asked
        value = number % 10 / 10
        lost = any(found.should_stop(asked[0], epoch, value) for epoch in range(1, 10))
        stopped += [value] * lost
        found.tell(asked[0], value)
    assert stopped and max(stopped) < 0.9


def test_a_parent_teaches_what_lies_in_the_ranges() -> None:
    found = search("Bayesian")
    found.add({"max_depth": "3", "eta": "0.1"}, 0.9)
    found.add({"max_depth": "30", "eta": "0.1"}, 0.9)
    found.add({"max_depth": "3"}, 0.9)
    found.add({"max_depth": "deep", "eta": "0.1"}, 0.9)
    assert [trial.params for trial in found._study.trials] == [{"max_depth": 3, "eta": 0.1}]


@pytest.mark.parametrize(("kind", "better"), [("Maximize", 0.9), ("Minimize", 0.1)])
def test_better_is_what_the_objective_says(kind: str, better: float) -> None:
    objective = {"Type": kind, "MetricName": "validation:auc"}
    found = search("Random", HyperParameterTuningJobObjective=objective)
    assert found.better(better, 0.5) and not found.better(0.5, better) and found.better(0.5, None)
