"""Read the tensors that Debugger has saved, and judge them by a rule of one's own."""

import argparse
import sys
from pathlib import Path

import smdebug.rules
from smdebug.exceptions import RuleEvaluationConditionMet
from smdebug.rules.rule_invoker import invoke_rule
from smdebug.trials import create_trial
from smdebug.trials.trial import Trial


# [start: read]
def read_means(trial: Trial, collection: str) -> dict[str, dict[int, float]]:
    """The mean |value| of each tensor of a collection, by name and by the steps it has."""
    tensors = [trial.tensor(name) for name in trial.tensor_names(collection=collection)]
    return {
        tensor.name: {step: float(abs(tensor.value(step)).mean()) for step in tensor.steps()}
        for tensor in tensors
    }


# [end: read]


# [start: rule]
class SmallGradient(smdebug.rules.Rule):
    """Fires at a step at which the mean |gradient| of some tensor is below the threshold."""

    def __init__(self, base_trial: Trial, threshold: float = 1e-7) -> None:
        super().__init__(base_trial, action_str="")  # without it: TypeError
        self.threshold = threshold

    def invoke_at_step(self, step: int) -> bool:
        names = self.base_trial.tensor_names(step=step, collection="gradients")
        values = [self.base_trial.tensor(name).value(step) for name in names]
        return any(abs(value).mean() < self.threshold for value in values)


# [end: rule]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", required=True, help="folder or s3://bucket/job/debug-output")
    parser.add_argument("--collection", default="gradients")
    parser.add_argument("--threshold", type=float, default=1e-7)
    options = parser.parse_args()
    # create_trial would wait for them without end.
    if not options.path.startswith("s3://") and not Path(options.path, "collections").exists():
        sys.exit(f"{options.path} holds no tensors: name the folder that the hook has written.")
    trial = create_trial(options.path)
    means = read_means(trial, options.collection)
    if not means:
        names = sorted(c for c in trial.collections() if trial.tensor_names(collection=c))
        sys.exit(f"No tensor in the collection {options.collection}. Try {', '.join(names)}.")
    for name, values in means.items():
        print(f"{name:<30}", *(f"{step}: {value:.4f}" for step, value in values.items()), sep="  ")
    try:
        last = max(trial.steps())
        invoke_rule(SmallGradient(trial, options.threshold), 0, last + 1, raise_eval_cond=True)
        print("SmallGradient: no issue found")
    except RuleEvaluationConditionMet as fired:
        print(f"SmallGradient: fired at step {fired.step}")


if __name__ == "__main__":
    main()
