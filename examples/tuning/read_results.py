"""Read the trials of a search: which hyperparameter mattered, and where the best trials lie."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import optuna

SCALED = {"eta", "min_child_weight"}  # searched on a logarithmic scale


def read_trials(path: Path) -> tuple[list[str], list[list[float]]]:
    """The names of the hyperparameters, and one row per finished trial, the objective last.

    Raises OSError; ValueError: fewer than two finished trials; another error: no such file.
    """
    table = json.loads(path.read_text(encoding="utf-8"))
    columns = table["columns"]
    objective = "logloss" if "logloss" in columns else "objective"
    names = columns[1 : columns.index(objective)]
    places = [columns.index(name) for name in [*names, objective]]
    rows = [[row[place] for place in places] for row in table["rows"]]
    finished = [row for row in rows if None not in row]
    if len(finished) < 2:
        raise ValueError(f"{len(finished)} finished trials")
    return names, finished


# [start: importance]
def importances(names: list[str], rows: list[list[float]]) -> dict[str, float]:
    """The share of the differences in the objective that each hyperparameter explains (fANOVA)."""
    columns = list(zip(*rows, strict=True))
    spaces = {
        name: optuna.distributions.FloatDistribution(min(c), max(c), log=name in SCALED)
        for name, c in zip(names, columns, strict=False)
    }
    study = optuna.create_study(direction="minimize")
    for *values, objective in rows:
        parameters = dict(zip(names, values, strict=True))
        study.add_trial(
            optuna.trial.create_trial(params=parameters, distributions=spaces, value=objective)
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


# [end: importance]


def spread(values: list[float]) -> str:
    """The least and the greatest of the values."""
    return f"{min(values):.4g} – {max(values):.4g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="JSON of the trials")
    parser.add_argument("--best", type=int, default=5, help="trials to look at closely")
    parser.add_argument("--json", type=Path, required=True, help="file for the charts")
    arguments = parser.parse_args()
    if arguments.best < 1:
        parser.error("--best: 1 or more")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        names, rows = read_trials(arguments.results)
        found = importances(names, rows)
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError) as error:
        sys.exit(
            f"{type(error).__name__}: {str(error).rstrip('.')}. {arguments.results} must "
            "be written by tune_with_optuna.py or read_tuning_job.py, with trials that differ."
        )
    ordered = sorted(rows, key=lambda row: row[-1])
    best = ordered[: arguments.best]
    print(
        f"{'hyperparameter':16}  importance  {'tried':16}  best {len(best)} of {len(rows)} trials"
    )
    for name, share in found.items():
        place = names.index(name)
        tried, good = ([row[place] for row in part] for part in (rows, best))
        print(f"{name:16}  {share:10.2f}  {spread(tried):16}  {spread(good)}")
    ends = ordered[0][-1], best[-1][-1], ordered[-1][-1]
    print(f"objective: best {ends[0]:.4f}, trial {len(best)} {ends[1]:.4f}, worst {ends[2]:.4f}")
    charts: dict[str, Any] = {
        "importance": {
            "columns": ["hyperparameter", "importance"],
            "rows": [[name, round(share, 4)] for name, share in found.items()],
        },
        "trials": {"columns": [*names, "objective"], "rows": rows},
    }
    try:
        arguments.json.write_text(json.dumps(charts) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")


if __name__ == "__main__":
    main()
