"""What would a study do, before it does it: its feasible set, its forecast, and the frozen `plan.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.reader import JournalReader
from resnext_search.results.journal.rows import ENDED
from resnext_search.search.planning.claim_trials import claim_trials
from resnext_search.search.planning.plan_warnings import warnings_of
from resnext_search.search.planning.workload import claim_flops, search_trial_flops
from resnext_search.search.surrogate.learning_curves import first_look
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.claim.arms import Arm, claim_arms, claim_budgets
from resnext_search.spaces.claim.populations import mean_costs, populations
from resnext_search.spaces.claim.tuning import planned_rates
from resnext_search.spaces.claim.tuning_fit import SECOND_RATES
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.folds import FOLDS
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.study.checks import problems_of_asking
from resnext_search.spaces.study.file import parse_study, with_its_defaults
from resnext_search.spaces.study.problems import dotted
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import write_whole

# A change of these does not change what a study means, only how long it goes on and where.
MAY_CHANGE = (
    "search.parallel",
    "resources.cpu",
    "resources.gpu",
    "resources.cluster",
    "resources.checkpoints",
    "resources.wait",
    "trainer.graph",
    "data.root",
    "data.memory",  # what it does to pixel statistics is seen by whoever reads the images
    "trackers",
    "limits.time",
    "limits.training_flops",
    "limits.trial_time",
)
# More of these adds trials, and leaves those that were made as they are.
MAY_GROW = ("search.trials", "claim.seeds", "claim.finalists")


def summarize(study: Study, feasible: FeasibleSet) -> dict[str, Any]:
    """Facts of the plan that need no measurement, ready for JSON."""
    axes = study.architecture_axes()
    error = np.asarray(feasible.counts.multiply_adds) / feasible.band.target - 1
    return {
        "name": study.name,
        "rules": study.rules,
        "band": {"target": feasible.band.target, "low": feasible.band.low, "high": feasible.band.high},
        "candidates": axes.combinations,
        "architectures": len(feasible),
        "spans": {
            "cardinality": _span(feasible.cardinality),
            "width": _span(feasible.width),
            "depth": _span(feasible.depth),
            "parameters": _span(feasible.counts.parameters),
            "activations": _span(feasible.counts.activations),
        },
        "match_percent": {
            name: round(100 * float(found), 3)
            for name, found in (("lowest", error.min()), ("mean", error.mean()), ("highest", error.max()))
        },
        "knobs": {
            knob.name: {"low": knob.low, "high": knob.high, "log": knob.log, "values": list(knob.values)}
            for knob in study.knobs()
        },
        "trials": study.search.trials,
        "trainer_plugin": study.trainer.plugin,
        "graph": study.trainer.graph,
        "early_stopping": _stopping_facts(study),
        "limits": _limit_facts(study),
        "claim": _claim_facts(study),
        "warnings": warnings_of(study),
    }


def _stopping_facts(study: Study) -> dict[str, Any] | None:
    """How trials of the search are stopped early; None if they are not."""
    if study.search.early_stopping == "none":
        return None
    return {"rule": study.search.early_stopping, "first_look": first_look(study.trainer), "audit": study.search.audit}


def _limit_facts(study: Study) -> dict[str, Any]:
    """The limits of a study, and how many trials that of operations leaves the search even if all are the dearest."""
    limit = study.limits.training_flops
    left = None if limit is None else (limit - claim_flops(study)) // search_trial_flops(study)
    fitting = None if left is None else int(min(left, study.search.trials))
    return {**study.limits.model_dump(mode="json"), "search_trials": fitting}


def _claim_facts(study: Study) -> dict[str, Any] | None:
    """The arms of the claim and how well their multiply-adds match (`EmptyFeasibleSet` if one cannot); None without."""
    claim, template = study.claim, study.network_template()
    if claim is None:
        return None
    arms, trials = claim_arms(study), claim_trials(study)
    counts = [complexity(template, arm.architecture) for arm in arms]
    return {
        "kind": claim.kind,
        "margin": claim.margin,
        "budgets": claim_budgets(study),
        "spaces": _space_facts(study),
        "seeds": claim.seeds,
        "looks": None if claim.looks is None else list(claim.looks),
        "folds": FOLDS if study.has_folds else None,
        "tuning": _tuning_facts(study),
        "arms": [
            {
                "arm": arm.name,
                "architecture": arm.architecture.name,
                "group_widths": list(arm.architecture.group_widths),
                "blocks": list(arm.architecture.blocks),
                "matched": arm.is_matched,
                "match_percent": round(100 * (float(one.multiply_adds) / _matched_to(arm, arms) - 1), 3),
                **{name: int(value) for name, value in one._asdict().items()},
            }
            for arm, one in zip(arms, counts, strict=True)
        ],
        "tune_trials": trials.tune,
        "confirm_trials": trials.confirm,
        "runner_up_trials": trials.confirm_runner_ups,
        "finalist_trials": trials.confirm_finalists,
    }


def _space_facts(study: Study) -> list[dict[str, Any]]:
    """The two spaces of a claim: how many networks of each lie in the band, and what those cost that are compared."""
    return [
        {"space": of.name, "networks": of.size} | {name: round(mean) for name, mean in mean_costs(study, of).items()}
        for of in populations(study)
    ]


def _matched_to(arm: Arm, arms: Sequence[Arm]) -> int:
    """Multiply-adds that an arm is held against; the base against the first budget, to show how much less it costs."""
    return arm.budget if arm.is_matched else arms[0].budget


def _tuning_facts(study: Study) -> dict[str, int]:
    """How many rates every arm is tried with: first on one seed, then around its best, on more seeds.

    Of spaces every network that tunes is tried with the rates, and there is no second round.
    """
    assert study.claim is not None  # the caller asks first
    again = study.rules != 1 and study.claim.kind != "spaces"
    return {
        "rates": len(planned_rates(study)),
        "second_rates": SECOND_RATES * again,
        "second_seeds": study.claim.tuning_seeds * again,
        "networks": study.claim.tuning_seeds * (study.claim.kind == "spaces"),
    }


def freeze(study: Study, feasible: FeasibleSet, forecast: dict[str, Any] | None, folder: StudyFolder) -> None:
    """Write `plan.json`: the resolved study, its hash, the summary and the forecast."""
    plan = {"hash": study_hash(study), "study": study.model_dump(mode="json"), **summarize(study, feasible)}
    write_whole(folder.plan, json.dumps(plan | {"forecast": forecast}, indent=2) + "\n")


def study_hash(study: Study) -> str:
    """SHA-256 of the resolved study, as hexadecimal digits."""
    return hashlib.sha256(json.dumps(study.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def begun_in(folder: StudyFolder) -> Study | None:
    """The study that was begun in a folder; None if there is none yet.

    Raises:
        ResnextSearchError: Its journal cannot be read.
    """
    if not is_begun(folder):
        return None
    with JournalReader(folder.journal) as journal:
        return journal.study()


def is_begun(folder: StudyFolder) -> bool:
    """Whether a study was begun in a folder."""
    try:
        return folder.journal.is_file()
    except OSError:  # what is wrong with the folder is said when something is to be written there
        return False


def has_trials_left(study: Study, folder: StudyFolder) -> bool:
    """Whether a run surely has something to train: also where it says no, its claim may need more trials."""
    if not is_begun(folder):
        return True
    with JournalReader(folder.journal) as journal:
        states = [trial.state for trial in journal.trials()]
        return not set(states) <= set(ENDED) or len(journal.trials(phase="search")) < study.search.trials


def as_begun(study: Study, folder: StudyFolder) -> Study:
    """A study with the defaults of the one that was begun in its folder; as it is if there is none.

    Raises:
        StudyError: It asks for what the rules of that study do not know, or for what cannot be run.
    """
    before = begun_in(folder)
    written = study.model_dump(mode="json", exclude_unset=True)
    if before is not None and with_its_defaults(written, before) != written:
        return parse_study(json.dumps(written), str(folder.study), begun=lambda _: before)
    problems = problems_of_asking(dict(study), begun=before is not None)
    if lines := [f"{dotted(problem.key)}: {problem.words()}" for problem in problems]:
        raise StudyError("\n".join(lines))
    return study


def check_change(before: Study, after: Study, folder: Path) -> None:
    """Allow a study that continues to ask for more trials or seeds, and to run on another machine; nothing else.

    Raises:
        StudyError: Anything else has changed; the message is a diff.
    """
    old, new = _flat(before.model_dump(mode="json")), _flat(after.model_dump(mode="json"))
    changed = [
        key
        for key in sorted(old | new)
        if old.get(key) != new.get(key)
        and key not in MAY_CHANGE
        and not (key in MAY_GROW and key in old and key in new and new[key] > old[key])
    ]
    if changed:
        lines = [f"  {key}: {_word(old, key)} -> {_word(new, key)}" for key in changed]
        raise StudyError(
            f"{folder}: the study has changed since its first trial:\n" + "\n".join(lines),
            hint="A study may only get more trials or seeds, and other limits or resources. "
            "Give another --out (or name) for the changed one.",
        )


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    """`{"a.b": 1}` of `{"a": {"b": 1}}`."""
    if not isinstance(value, dict):
        return {key: value}
    parts = [_flat(part, f"{key}.{name}".lstrip(".")) for name, part in value.items()]
    return {inner: leaf for part in parts for inner, leaf in part.items()}


def _word(flat: dict[str, Any], key: str) -> str:
    return json.dumps(flat[key]) if key in flat else "(nothing)"


def _span(values: Any) -> list[int]:
    return [int(values.min()), int(values.max())]
