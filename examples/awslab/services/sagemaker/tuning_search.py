"""The search of a tuning job: which hyperparameters next, and which training jobs to stop.

Optuna searches: TPE where SageMaker has its own Bayesian method, its random sampler, its Hyperband
and median rules. The Grid strategy is our own walk over all combinations.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from awslab.services.sagemaker import tuning_rules
from awslab.services.sagemaker.tuning_rules import KINDS, Definition, Ranges

WARM_UP = 3  # training jobs that the median rule lets run before it judges


class Search:
    """The search over the ranges of one training job definition.

    Not safe under parallel calls: the thread of its tuning job owns it.
    """

    def __init__(self, config: Mapping[str, Any], definition: Definition, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.ranges = tuning_rules.ranges_of(config, definition)
        self.objective = tuning_rules.objective_of(config, definition)
        self.minimizes = self.objective["Type"] == "Minimize"
        self._grid = list(grid(self.ranges)) if config["Strategy"] == "Grid" else None
        sampler: Any = optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)
        if config["Strategy"] in ("Random", "Hyperband"):
            sampler = optuna.samplers.RandomSampler(seed=seed)
        self._study = optuna.create_study(
            direction="minimize" if self.minimizes else "maximize",
            sampler=sampler,
            pruner=self._pruner(config, definition),
        )

    @staticmethod
    def _pruner(config: Mapping[str, Any], definition: Definition) -> Any:
        import optuna

        if config["Strategy"] == "Hyperband":
            least, most = tuning_rules.resources(config, definition)
            return optuna.pruners.HyperbandPruner(
                min_resource=least, max_resource=most or least, reduction_factor=3
            )
        if config.get("TrainingJobEarlyStoppingType") == "Auto":
            return optuna.pruners.MedianPruner(n_startup_trials=WARM_UP)
        return optuna.pruners.NopPruner()

    def ask(self) -> tuple[Any, dict[str, str]] | None:
        """A trial and its hyperparameters as the API writes them; None when a grid is used up."""
        if self._grid is not None:
            if not self._grid:
                return None
            chosen = self._grid.pop(0)
            self._study.enqueue_trial(chosen)
        trial = self._study.ask()
        return trial, dict(suggested(trial, self.ranges))

    def tell(self, trial: Any, value: float | None) -> None:
        """The final value of a trial; None: it failed or was stopped."""
        from optuna.trial import TrialState

        if value is None or math.isnan(value):
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def add(self, parameters: Mapping[str, str], value: float) -> None:
        """What a parent tuning job found, as far as it lies inside of the ranges."""
        import optuna

        found, spaces = {}, distributions(self.ranges)
        for name, space in spaces.items():
            if name not in parameters:
                return
            number = parse(parameters[name], space)
            if number is None or not space._contains(space.to_internal_repr(number)):
                return
            found[name] = number
        self._study.add_trial(
            optuna.trial.create_trial(params=found, distributions=spaces, value=value)
        )

    def should_stop(self, trial: Any, epoch: int, value: float) -> bool:
        """Whether the training job is not worth going on after this epoch."""
        if epoch not in trial.storage.get_trial(trial._trial_id).intermediate_values:
            trial.report(value, epoch)
        return bool(trial.should_prune())

    def better(self, value: float, than: float | None) -> bool:
        if than is None:
            return True
        return value < than if self.minimizes else value > than


def grid(ranges: Ranges) -> Iterator[dict[str, str]]:
    """Every combination, the last range fastest."""
    items = ranges.get(KINDS[2]) or []
    for values in itertools.product(*(item["Values"] for item in items)):
        yield dict(zip((item["Name"] for item in items), values, strict=True))


def suggested(trial: Any, ranges: Ranges) -> Iterator[tuple[str, str]]:
    for item in ranges.get("IntegerParameterRanges") or []:
        low, high = int(item["MinValue"]), int(item["MaxValue"])
        log = item.get("ScalingType") == "Logarithmic"
        yield item["Name"], str(trial.suggest_int(item["Name"], low, high, log=log))
    for item in ranges.get("ContinuousParameterRanges") or []:
        low_, high_ = bounds(item)
        log = item.get("ScalingType") in ("Logarithmic", "ReverseLogarithmic")
        value = trial.suggest_float(item["Name"], low_, high_, log=log)
        yield item["Name"], repr(1 - value if reverse(item) else value)
    for item in ranges.get("CategoricalParameterRanges") or []:
        yield item["Name"], str(trial.suggest_categorical(item["Name"], item["Values"]))


def reverse(item: Mapping[str, str]) -> bool:
    return item.get("ScalingType") == "ReverseLogarithmic"


def bounds(item: Mapping[str, str]) -> tuple[float, float]:
    """Of the searched number; a reversed scale searches the distance from 1."""
    low, high = float(item["MinValue"]), float(item["MaxValue"])
    return (1 - high, 1 - low) if reverse(item) else (low, high)


def distributions(ranges: Ranges) -> dict[str, Any]:
    from optuna import distributions as spaces

    found: dict[str, Any] = {}
    for item in ranges.get("IntegerParameterRanges") or []:
        log = item.get("ScalingType") == "Logarithmic"
        found[item["Name"]] = spaces.IntDistribution(
            int(item["MinValue"]), int(item["MaxValue"]), log=log
        )
    for item in ranges.get("ContinuousParameterRanges") or []:
        low, high = bounds(item)
        log = item.get("ScalingType") in ("Logarithmic", "ReverseLogarithmic")
        found[item["Name"]] = spaces.FloatDistribution(low, high, log=log)
    for item in ranges.get("CategoricalParameterRanges") or []:
        found[item["Name"]] = spaces.CategoricalDistribution(tuple(item["Values"]))
    return found


def parse(text: str, space: Any) -> Any:
    """A value of the parent as this range holds it; None when it is no number."""
    kind = type(space).__name__
    try:
        if kind == "IntDistribution":
            return int(text)
        return float(text) if kind == "FloatDistribution" else text
    except ValueError:
        return None
