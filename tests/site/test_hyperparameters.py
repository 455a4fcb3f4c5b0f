"""The table of hyperparameters says what the validator and XGBoost 3.2.0 really do."""

import itertools
import json
import re
import warnings
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy
import polib
import pytest
import xgboost
from awslab.services.sagemaker.xgboost_rules import (
    ALIASES,
    MAXIMIZED,
    MINIMIZED,
    REPORTED,
    REQUIRED,
    RULES,
    Interval,
    UserError,
    validated,
)
from docutils import nodes
from hyperparameters import LINEAR, accepted, linear_table, read_rows, read_rules
from sphinx.testing.util import SphinxTestApp

ROWS = read_rows()
PAGE = Path(__file__).parents[2] / "docs" / "training" / "xgboost-hyperparameters.md"
TEXT = PAGE.read_text(encoding="utf-8")
KEYS = {"group", "default", "otherwise", "gblinear", "aws", "tune", "refused", "effect", "note"}
GROUPS = {"container", "general", "tree", "dart", "task", "unused"}
# What a value needs beside it to pass the validator.
BESIDE = {
    "monotone_constraints": {"tree_method": "hist"},
    "interaction_constraints": {"tree_method": "hist"},
}


def passes(name: str, value: object) -> bool:
    """What the validator says to this value, with whatever it needs beside it."""
    beside: dict[str, str] = {"num_round": "1", **BESIDE.get(name, {})}
    if str(value).startswith("multi:"):
        beside["num_class"] = "3"
    if name == "eval_metric":
        beside["objective"] = "survival:aft" if value == "aft-nloglik" else "binary:logistic"
    if name == "updater":
        beside |= {"booster": "gblinear"} if value in ("shotgun", "coord_descent") else {}
    try:
        validated(beside | {name: str(value)})
    except UserError:
        return False
    return True


def train(parameters: dict[str, Any], rows: int = 30, **more: Any) -> tuple[xgboost.Booster, str]:
    """A model of one round, and what XGBoost has warned of.

    Raises:
        XGBoostError: the parameters are refused.
        ValueError: as well.
    """
    generator = numpy.random.default_rng(0)
    features = generator.normal(size=(rows, 3))
    objective = parameters.get("objective", "")
    labels = numpy.arange(rows) % (3 if objective.startswith("multi:") else 2)
    data = xgboost.DMatrix(features, labels + (1 if objective == "reg:gamma" else 0), nthread=1)
    if objective.startswith("rank:"):
        data.set_group([rows // 2, rows - rows // 2])
    if objective == "survival:aft":
        data.set_float_info("label_lower_bound", labels + 1.0)
        data.set_float_info("label_upper_bound", labels + 2.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chosen = {"nthread": 1, "verbosity": 1, **parameters}
        evals = [(data, "train")]
        booster = xgboost.train(chosen, data, 1, evals=evals, verbose_eval=False, **more)
    return booster, " ".join(str(warning.message) for warning in caught)


@cache
def settings(**parameters: str) -> dict[str, str]:
    """Every setting that a model reports, by its name."""
    found: dict[str, str] = {}

    def walk(part: Any) -> None:
        for key, value in part.items():
            if isinstance(value, dict):
                walk(value)
            elif isinstance(value, str):
                found.setdefault(key, value)

    walk(json.loads(train(dict(parameters))[0].save_config()))
    return found


# --- names ----------------------------------------------------------------------------------------


def test_each_name_that_the_validator_knows_has_a_row_and_no_other() -> None:
    assert set(ROWS) == set(RULES)
    assert read_rules()["ALIASES"] == ALIASES  # which the directive loads without the lab


def test_each_row_is_complete_and_shown_once() -> None:
    for name, row in ROWS.items():
        assert row.keys() <= KEYS, name
        assert row["effect"], name
        assert ("default" in row) + ("otherwise" in row) == (
            name not in REQUIRED and row["group"] != "unused"
        ), name
    assert {row["group"] for row in ROWS.values()} == GROUPS
    shown = re.findall(r"^:::\{hyperparameters\} (\S+)$", TEXT, re.MULTILINE)
    assert sorted(shown) == sorted(GROUPS | {LINEAR})


def test_an_alias_is_no_name() -> None:
    assert not ALIASES.keys() & RULES.keys()
    for alias, name in ALIASES.items():
        assert validated({"num_round": "1", alias: "0.5"}) == {"num_round": 1, name: 0.5}


# --- accepted values ------------------------------------------------------------------------------


def parse(bounds: str) -> tuple[float, bool, float | None, bool]:
    """Least value, is it in, greatest value (None: there is none), is it in."""
    match = re.fullmatch(r"([\[(])(\S+), (\S+)([\])])", bounds)
    assert match, bounds
    most = None if match[3] == "+inf" else float(match[3])
    return float(match[2]), match[1] == "[", most, match[4] == "]"


@pytest.mark.parametrize("name", [n for n, r in RULES.items() if isinstance(r.allowed, Interval)])
def test_bounds_are_where_the_table_says(name: str) -> None:
    shown = accepted(RULES[name])
    bounds = re.findall(r"`([^`]+)`", shown)
    least, least_in, most, most_in = parse(bounds[0])
    whole = shown.startswith(("integer", "lists of integers"))
    step = 1 if whole else 0.001

    def inside(value: float) -> bool:
        below = value < least or (value == least and not least_in)
        above = most is not None and (value > most or (value == most and not most_in))
        return not (below or above)

    def text(value: float) -> str:
        number = str(int(value) if whole else value)
        return f"[[{number}]]" if name == "interaction_constraints" else number

    tried = [least - step, least, least + step]
    tried += [10**9] if most is None else [most - step, most, most + step]
    assert {value: passes(name, text(value)) for value in tried} == {
        value: inside(value) for value in tried
    }
    if name != "interaction_constraints":
        assert not (whole and passes(name, f"{int(least) + 1}.5"))
        assert not passes(name, "two")


@pytest.mark.parametrize("name", [n for n, r in RULES.items() if isinstance(r.allowed, list)])
def test_values_are_those_that_the_table_lists(name: str) -> None:
    shown = re.findall(r"`([^`]+)`", accepted(RULES[name]))
    assert not passes(name, "no-such-value")
    if name == "_tuning_objective_metric":
        assert shown == ["validation:"]
        shown = [f"validation:{metric}" for metric in (*MAXIMIZED, *MINIMIZED)]
    if name == "monotone_constraints":
        assert passes(name, f"({', '.join(shown)})") and passes(name, f"[{', '.join(shown)}]")
        assert not passes(name, "(2, 0)")
    else:
        assert [value for value in shown if not passes(name, value)] == []


def test_kinds_of_values() -> None:
    assert accepted(RULES["num_round"]) == "integer `[1, +inf)`"
    assert accepted(RULES["subsample"]) == "number `(0, 1]`"
    assert accepted(RULES["booster"]) == "`gbtree`, `gblinear`, `dart`"
    assert accepted(RULES["updater"]).startswith("separated by commas: `grow_colmaker`, ")
    assert accepted(RULES["monotone_constraints"]) == "list or tuple of `-1`, `0`, `1`"
    bounds = accepted(RULES["interaction_constraints"])
    assert bounds == "lists of integers in a list: `[1, +inf)`"
    metric = accepted(RULES["_tuning_objective_metric"])
    assert metric == "`validation:` and the name of a metric"


def test_tuning_ranges_are_accepted_and_on_the_five_that_aws_names() -> None:
    tuned = {name for name, row in ROWS.items() if "tune" in row}
    assert {"alpha", "min_child_weight", "subsample", "eta", "num_round"} < tuned
    assert len(tuned) == 12
    for name in tuned:
        least, most = ROWS[name]["tune"]
        assert least < most
        assert passes(name, least) and passes(name, most)


# --- defaults -------------------------------------------------------------------------------------

DEFAULTS = [
    (name, row)
    for name, row in ROWS.items()
    if "default" in row and row["group"] not in ("container", "unused")
]
CONTEXT = {
    "dart": {"booster": "dart"},
    "tweedie_variance_power": {"objective": "reg:tweedie"},
    "aft_loss_distribution": {"objective": "survival:aft"},
    "aft_loss_distribution_scale": {"objective": "survival:aft"},
}


@pytest.mark.parametrize(("name", "row"), DEFAULTS, ids=[name for name, _row in DEFAULTS])
def test_defaults_are_those_that_xgboost_reports(name: str, row: dict[str, Any]) -> None:
    if name == "verbosity":
        found = str(xgboost.get_config()["verbosity"])
    else:
        found = settings(**CONTEXT.get(name, CONTEXT.get(row["group"], {})))[name]
    assert same(found, row["default"])


def same(one: str, other: str) -> bool:
    """XGBoost prints numbers with all digits that a float has: 0.300000012."""
    try:
        return float(one) == pytest.approx(float(other), rel=1e-6)
    except ValueError:
        return one == other


def test_a_linear_booster_has_other_defaults() -> None:
    linear, tree = settings(booster="gblinear"), settings()
    differing = {
        name
        for name in RULES.keys() & linear.keys() & tree.keys() - {"booster"}
        if not same(linear[name], tree[name])
    }
    assert differing - {"alpha"} == {n for n, r in ROWS.items() if "gblinear" in r} - {"alpha"}
    for name, row in ROWS.items():
        if "gblinear" in row:
            assert same(linear[name], row["gblinear"])
    table = linear_table(ROWS)
    cells = [[entry.astext() for entry in row] for row in table.findall(nodes.row)]
    assert cells[1] == ["eta", "0.5", "0.3"]


def test_the_base_score_is_estimated_as_the_table_says() -> None:
    model, _said = train({"objective": "binary:logistic"}, rows=31)
    found = json.loads(model.save_config())["learner"]["learner_model_param"]
    assert found["boost_from_average"] == "1"
    assert float(found["base_score"].strip("[]")) == pytest.approx(15 / 31)
    assert ROWS["base_score"]["aws"] == "0.5"


# --- what XGBoost 3.2.0 makes of accepted values --------------------------------------------------


def beside(name: str, value: str) -> dict[str, Any]:
    """Parameters with which the value makes sense."""
    if value.startswith("multi:") or value in ("merror", "mlogloss"):
        return {"objective": "multi:softprob", "num_class": 3}
    if value in ("aft-nloglik", "interval-regression-accuracy"):
        return {"objective": "survival:aft"}
    if value in ("shotgun", "coord_descent"):
        return {"booster": "gblinear"}
    if name.startswith("aft_"):
        return {"objective": "survival:aft"}
    if name == "tweedie_variance_power":
        return {"objective": "reg:tweedie"}
    return {"booster": "dart"} if ROWS[name]["group"] == "dart" else {}


def outcome(name: str, value: str, **more: Any) -> str:
    """`refused`, `unused` or `used`: what XGBoost does with an accepted value."""
    try:
        _model, said = train({**beside(name, value), name: value, **more})
    except (ValueError, xgboost.core.XGBoostError):
        return "refused"
    return (
        "unused"
        if re.search(rf'Parameters: {{[^}}]*"{name}"[^}}]*}} are not used', said)
        else "used"
    )


OWN = [name for name, row in ROWS.items() if row["group"] not in ("container", "unused")]
# Metrics that the container adds: XGBoost never sees them.
ADDED = {
    *("accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "r2"),
    *("precision", "precision_macro", "precision_micro"),
    *("recall", "recall_macro", "recall_micro"),
}


@pytest.mark.parametrize("name", [n for n in OWN if isinstance(RULES[n].allowed, list)])
def test_values_that_xgboost_refuses(name: str) -> None:
    values = {"(1, 0, -1)"} if name == "monotone_constraints" else {*RULES[name].allowed} - ADDED
    values -= {"refresh", "prune", "update"}  # below
    found = {value: outcome(name, value) for value in values}
    assert {v for v, what in found.items() if what == "refused"} == {*ROWS[name].get("refused", [])}
    assert "unused" not in found.values()


@pytest.mark.parametrize("name", [n for n in OWN if isinstance(RULES[n].allowed, Interval)])
def test_bounds_that_xgboost_refuses(name: str) -> None:
    allowed = RULES[name].allowed
    values = [allowed.least, 0, 1, 2, allowed.most]
    tried = ["[[1, 2]]"] if name == "interaction_constraints" else []
    tried += [str(v) for v in values if v is not None and passes(name, v)]
    if name == "num_class":
        tried = ["3"]
    more = {"objective": "multi:softmax"} if name == "num_class" else {}
    found = {value: outcome(name, value, **more) for value in tried}
    assert [v for v, what in found.items() if what == "refused"] == ROWS[name].get("refused", [])
    assert "unused" not in found.values()


@pytest.mark.parametrize("name", [n for n, r in ROWS.items() if r["group"] == "unused"])
def test_what_is_accepted_and_not_used(name: str) -> None:
    allowed = RULES[name].allowed
    value = allowed[0] if isinstance(allowed, list) else "1.5" if name == "prob_buffer_row" else "1"
    for booster in ("gbtree", "gblinear", "dart"):
        assert outcome(name, str(value), booster=booster) == "unused"


def test_what_a_linear_booster_uses_of_the_tree_table() -> None:
    named = {"eta", "lambda", "alpha", "updater", "scale_pos_weight"}
    for name, row in ROWS.items():
        if row["group"] == "tree" and name != "updater":
            tried = row.get("default", "(1, 0, 0)" if name.startswith("mono") else "[[1, 2]]")
            used = outcome(name, tried, booster="gblinear", objective="binary:logistic") == "used"
            assert used == (name in named), name


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"max_depth": 0}, "unlimited depth"),
        ({"colsample_bynode": 0.5}, "column sample by node"),
        ({"sampling_method": "gradient_based", "subsample": 0.5}, "Only uniform sampling"),
    ],
)
def test_what_the_exact_method_refuses(parameters: dict[str, Any], said: str) -> None:
    (name, *_rest) = parameters
    assert "exact" in ROWS[name]["note"]
    train(parameters)
    with pytest.raises(xgboost.core.XGBoostError, match=said):
        train({"tree_method": "exact", **parameters})


@pytest.mark.parametrize("updater", ["refresh", "prune"])
def test_updaters_that_make_no_trees(updater: str) -> None:
    with pytest.raises(xgboost.core.XGBoostError, match="can not be used to create new trees"):
        train({"updater": updater})
    update = {"process_type": "update", "updater": updater}
    with pytest.raises(xgboost.core.XGBoostError):
        train(update)
    model, _said = train({})
    train(update, xgb_model=model)


def test_the_old_name_of_squared_error() -> None:
    _model, said = train({"objective": "reg:linear"})
    assert "reg:linear is now deprecated in favor of reg:squarederror" in said


# --- the metrics of the page ----------------------------------------------------------------------

METRICS = re.findall(
    r"^\| `([\w-]+)` \| (最大化|最小化) \| [^|]+ \| ([^|]+) \| (\S+) \|$", TEXT, re.MULTILINE
)
OBJECTIVES: dict[str, dict[str, Any]] = {
    "binary:": {"objective": "binary:logistic"},
    "multi:": {"objective": "multi:softmax", "num_class": 3},
    "reg:": {"objective": "reg:squarederror"},
    "rank:": {"objective": "rank:ndcg"},
}


def test_the_metrics_are_those_that_aws_lists() -> None:
    names = [name for name, *_rest in METRICS]
    assert sorted(names) == [
        *("accuracy", "auc", "error", "f1", "logloss", "mae"),
        *("map", "merror", "mlogloss", "mse", "ndcg", "rmse"),
    ]
    assert {*names} <= {*REPORTED}
    for name, direction, *_rest in METRICS:
        assert name in (MAXIMIZED if direction == "最大化" else MINIMIZED)


@pytest.mark.parametrize(("name", "direction", "fitting", "by"), METRICS)
def test_a_metric_works_with_the_objectives_named(
    name: str, direction: str, fitting: str, by: str
) -> None:
    assert (name in ADDED) == (by == "コンテナ")
    named = re.findall(r"`(\w+:)`", fitting)
    assert named
    for prefix, parameters in OBJECTIVES.items():
        if prefix not in named:
            continue
        texts = {key: str(value) for key, value in parameters.items()}
        validated({"num_round": "1", "eval_metric": name, **texts})
        if name not in ADDED:
            train({**parameters, "eval_metric": name})


@pytest.mark.parametrize("name", ["error", "logloss"])
def test_metrics_of_two_classes_refuse_more(name: str) -> None:
    with pytest.raises(xgboost.core.XGBoostError, match="use merror or mlogloss"):
        train({**OBJECTIVES["multi:"], "eval_metric": name})


def test_the_metric_that_cannot_be_written() -> None:
    with pytest.raises(xgboost.core.XGBoostError, match="must be in format tweedie-nloglik@rho"):
        train({"objective": "reg:tweedie", "eval_metric": "tweedie-nloglik"})
    assert not passes("eval_metric", "tweedie-nloglik@1.5")
    model, _said = train({"objective": "reg:tweedie"})
    metrics = json.loads(model.save_config())["learner"]["metrics"]
    assert metrics == [{"name": "tweedie-nloglik@1.5"}]


def test_names_that_the_page_says_are_refused() -> None:
    wrong = ("silent", "device", "n_estimators", "single_precision_histogram")
    for name, value in itertools.product(wrong, ("0", "cuda", "true")):
        assert not passes(name, value)
        assert f"`{name}" in TEXT


# --- the directive --------------------------------------------------------------------------------

CONF = """
extensions = ["myst_parser", "hyperparameters"]
myst_enable_extensions = ["colon_fence"]
locale_dirs = ["locale"]
gettext_compact = False
"""


def build(folder: Path, group: str, language: str) -> tuple[str, str]:
    """The page of one table, and the warnings."""
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    page = f"# Page\n\n:::{{hyperparameters}} {group}\n:::\n"
    (folder / "index.md").write_text(page, encoding="utf-8")
    said, settings = StringIO(), {"language": language}
    app = SphinxTestApp(
        srcdir=folder, builddir=folder / "_build", confoverrides=settings, warning=said
    )
    try:
        app.build()
    finally:
        app.cleanup()
    return (Path(app.outdir) / "index.html").read_text(encoding="utf-8"), said.getvalue()


def cells(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    found = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub("<[^>]*>", "", cell).split()) for cell in row] for row in found if row]


def test_a_row_in_japanese_and_translated_by_the_catalog_of_the_page(tmp_path: Path) -> None:
    page, said = build(tmp_path, "tree", "ja")
    assert said == ""
    eta = ["eta alias learning_rate", "number [0, 1] AWS tunes within 0.1–0.5", "0.3"]
    row = {first: rest for first, *rest in cells(page)}
    plain = ROWS["eta"]["effect"].replace("`", "")
    assert row[eta[0]] == [*eta[1:], plain]
    assert row["updater"][1] == "grow_quantile_histmaker in AWS's guide: grow_colmaker, prune"
    assert row["max_bin"][2].endswith("XGBoost 3.2.0 refuses: 0, 1")
    catalog = polib.POFile()
    catalog.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Language": "en"}
    catalog.append(polib.POEntry(msgid=ROWS["eta"]["effect"], msgstr="It shrinks `a` tree."))
    file = tmp_path / "locale" / "en" / "LC_MESSAGES" / "index.po"
    file.parent.mkdir(parents=True)
    catalog.save(str(file))
    english, said = build(tmp_path, "tree", "en")
    assert said == ""
    assert [*eta, "It shrinks a tree."] in cells(english)


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    _page, said = build(tmp_path, "trees", "ja")
    assert "no hyperparameters in the group trees; there are ['container', " in said


def test_a_required_one_and_those_without_default(tmp_path: Path) -> None:
    page, _said = build(tmp_path, "container", "ja")
    assert cells(page)[0][:3] == [
        "num_round",
        "integer [1, +inf) AWS tunes within 1–4000",
        "required",
    ]
    assert "早期停止をしない" in page
