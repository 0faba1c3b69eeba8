"""Facts as text for people: what `plan`, `status` and `best` print without `--json`."""

from __future__ import annotations

from typing import Any

from resnext_search.results.journal import ENDED
from resnext_search.search.progress import duration
from resnext_search.spaces.architecture import dashed


def plan_words(facts: dict[str, Any]) -> str:
    """The plan of a study."""
    band, match, spans = facts["band"], facts["match_percent"], facts["spans"]
    flops = facts["training_flops"]
    lines = [
        f"{facts['name']}: {facts['trials']} trials",
        f"FLOP band         {band['low']:,} to {band['high']:,} multiply-adds around {band['target']:,}",
        f"feasible set      {facts['architectures']:,} architectures of {facts['candidates']:,} candidates",
        f"match to budget   {match['lowest']:+.2f} % to {match['highest']:+.2f} %, mean {match['mean']:+.2f} %",
        *(f"{name:18}{low:,} to {high:,}" for name, (low, high) in spans.items()),
        *(f"{name:18}{_knob(knob)}" for name, knob in facts["knobs"].items()),
        *_claim_lines(facts["claim"]),
        f"training          {'unknown number of' if flops is None else f'{flops:.3g}'} floating-point operations",
    ]
    forecast = facts["forecast"]
    if forecast is not None:
        seconds = {role: duration(value) for role, value in forecast["seconds"].items()}
        lines += [
            f"time              {seconds['median']} with {forecast['workers']} trials at once on this machine's cores, "
            "start-up of about 20 s not counted",
            f"                  ({seconds['cheapest']} if all trials were as fast as the cheapest architecture, "
            f"{seconds['dearest']} as slow as the dearest)",
            f"memory            {forecast['peak_bytes'] / 2**30:.1f} GiB at most, all workers together",
        ]
    return "\n".join(lines)


def _claim_lines(claim: dict[str, Any] | None) -> list[str]:
    if claim is None:
        return []
    width = max(len(arm["arm"]) for arm in claim["arms"])
    return [
        f"claim             {claim['kind']}, {claim['budget']:,} multiply-adds, margin {claim['margin']:g} points; "
        f"{claim['tune_trials']} trials to tune and {claim['confirm_trials']} to confirm",
        *(
            f"  {arm['arm']:{width}}  {arm['architecture']:10}  blocks {dashed(arm['blocks'])}  "
            f"group widths {dashed(arm['group_widths'])}  {arm['match_percent']:+.2f} %  "
            f"parameters {arm['parameters']:,}  activations {arm['activations']:,}"
            for arm in claim["arms"]
        ),
    ]


def _knob(knob: dict[str, Any]) -> str:
    if knob["values"]:
        return ", ".join(f"{value:g}" for value in knob["values"])
    return f"{knob['low']:g} to {knob['high']:g}, {'log' if knob['log'] else 'linear'} scale"


def status_words(facts: dict[str, Any]) -> str:
    """The state of a study."""
    lines = [
        f"{facts['name']}: {'running' if facts['live'] else 'not running'}; "
        f"trials: {_counted(facts['states'])}, of {facts['trials']}"
    ]
    if len(facts["phases"]) > 1:
        lines += [
            f"  {phase:8} {_counted(of_phase['states'])}, of {of_phase['trials']}"
            for phase, of_phase in facts["phases"].items()
        ]
    lines += [
        f"  {one['name']}  epoch {one['epoch']}/{one['epochs']}{_percent(one['validation_error'])}"
        for one in facts["running"]
    ]
    for failure in facts["failures"]:
        last = (failure["message"] or "").strip().splitlines()[-1:]
        lines.append(f"  trial {failure['trial']:04d} failed ({failure['class']}): {' '.join(last)}")
    if facts["best"] is not None:
        lines.append(best_words(facts["best"]).splitlines()[0])
    if not facts["live"] and sum(facts["states"].get(state, 0) for state in ENDED) < facts["trials"]:
        lines.append(f"Continue with: resnext-search resume {facts['folder']}")
    return "\n".join(lines)


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet"


def _percent(error: float | None) -> str:
    return "" if error is None else f"  validation error {error:.2f} %"


def best_words(best: dict[str, Any]) -> str:
    """The best trial; one line that names it, then what is needed to train it again."""
    expected = best.get("expected_validation_error")
    luck = "the lowest reported, so an optimistic figure" if expected is None else f"{expected:.2f} % without its luck"
    recipe = "  ".join(f"{name}={value}" for name, value in best["recipe"].items())
    return "\n".join(
        [
            f"best so far: trial {best['trial']:04d} {best['architecture']}, validation error "
            f"{best['validation_error']:.2f} % ({luck})",
            f"blocks {dashed(best['blocks'])}  group widths {dashed(best['group_widths'])}",
            f"multiply-adds {best['multiply_adds']:,}  parameters {best['parameters']:,}  "
            f"activations {best['activations']:,}",
            recipe,
            *([refit_words(best["refit"])] if best.get("refit") else []),
        ]
    )


def refit_words(facts: dict[str, Any]) -> str:
    """The network that `refit` saved."""
    return (
        f"trial {facts['trial']:04d} {facts['architecture']['name']} trained on {facts['train_images']:,} images: "
        f"test error {facts['test_error']:.2f} % (one run, {facts['test_images']:,} test images)\n"
        f"weights: {facts['folder']}/{facts['weights']}   how to build it: {facts['folder']}/model.json"
    )
