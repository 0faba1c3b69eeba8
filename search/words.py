"""Facts as text for people: what `plan`, `status` and `best` print without `--json`."""

from __future__ import annotations

from typing import Any

from resnext_search.results.journal import ENDED, State
from resnext_search.search.budget import in_units
from resnext_search.search.drawing import duration
from resnext_search.spaces.architecture import dashed

_ORDER: tuple[State, ...] = (*ENDED, "interrupted", "queued", "running")


def plan_words(facts: dict[str, Any]) -> str:
    """The plan of a study."""
    band, match, spans = facts["band"], facts["match_percent"], facts["spans"]
    flops = facts["training_flops"]
    lines = [
        f"{facts['name']}: {_trials(facts['trials'], facts['claim'])}",
        f"FLOP band         {band['low']:,} to {band['high']:,} multiply-adds around {band['target']:,}",
        f"feasible set      {facts['architectures']:,} architectures of {facts['candidates']:,} candidates",
        f"match to budget   {match['lowest']:+.2f} % to {match['highest']:+.2f} %, mean {match['mean']:+.2f} %",
        *(f"{name:18}{low:,} to {high:,}" for name, (low, high) in spans.items()),
        *(f"{name:18}{_knob(knob)}" for name, knob in facts["knobs"].items()),
        *_claim_lines(facts["claim"]),
        *_stopping_lines(facts["early_stopping"]),
        *_limit_lines(facts["limits"], facts["trials"]),
        f"training          {'unknown number of' if flops is None else f'{flops:.3g}'} floating-point operations",
    ]
    if facts["gpu_bytes"] is not None:
        lines.append(
            f"GPU memory        {facts['gpu_bytes'] / 2**30:.2f} GiB a trial, predicted, where it runs on a GPU"
        )
    if facts["trainer_plugin"] is not None:
        lines.append(f"time              not measured: the trainer is the plug-in {facts['trainer_plugin']}")
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


def _trials(search: int, claim: dict[str, Any] | None) -> str:
    if claim is None:
        return f"{search} trials"
    tune, confirm = claim["tune_trials"], claim["confirm_trials"]
    return f"{search + tune + confirm} trials, {search} to search, {tune} to tune and {confirm} to confirm"


def _stopping_lines(stopping: dict[str, Any] | None) -> list[str]:
    if stopping is None:
        return []
    return [
        f"early stopping    {stopping['rule']}, from epoch {stopping['first_look']} on; a share of "
        f"{stopping['audit']:g} is trained to the end as a check. What follows holds if none is stopped"
    ]


def _limit_lines(limits: dict[str, Any], trials: int) -> list[str]:
    flops, fitting = limits["training_flops"], limits["search_trials"]
    parts = [
        *([f"{in_units(limits['time'])} at work"] if limits["time"] is not None else []),
        *([f"{flops:.3g} operations, enough for {fitting} of {trials} trials of the search"] if flops else []),
        *([f"{in_units(limits['trial_time'])} a trial"] if limits["trial_time"] is not None else []),
    ]
    return [f"limits            {'; '.join(parts)}"] if parts else []


def _claim_lines(claim: dict[str, Any] | None) -> list[str]:
    if claim is None:
        return []
    width = max(len(arm["arm"]) for arm in claim["arms"])
    return [
        f"claim             {claim['kind']}, {claim['budget']:,} multiply-adds, margin {claim['margin']:g} points",
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
    if facts["early_stopping"] is not None:
        lines.append(audit_words(facts["early_stopping"]))
    if facts["best"] is not None:
        lines.append(best_words(facts["best"]).splitlines()[0])
    if (limit := facts["budget"]["seconds"])["of"] is not None:
        lines.append(f"time at work: {duration(limit['used'])} of {duration(limit['of'])}")
    if not facts["live"] and sum(facts["states"].get(state, 0) for state in ENDED) < facts["trials"]:
        lines.append(f"Continue with: resnext-search resume {facts['folder']}")
    return "\n".join(lines)


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{states[state]} {state}" for state in _ORDER if state in states) or "none yet"


def _percent(error: float | None) -> str:
    return "" if error is None else f"  validation error {error:.2f} %"


def audit_words(audit: dict[str, Any]) -> str:
    """What early stopping has saved, and how often it was wrong as far as that was looked at."""
    stopped, audited = audit["stopped"], audit["audited"]
    interval = f"95 % interval {audit['percent_low']:.0f} to {audit['percent_high']:.0f} %"
    checked = (
        f"{audited} more would have been and {'was' if audited == 1 else 'were'} trained to the end as a check: "
        f"{audit['would_have_won']} of them would have won ({interval})"
        if audited
        else "none of those to be stopped was trained to the end as a check"
    )
    return (
        f"Early stopping: {stopped} trial{'s' * (stopped != 1)} stopped, {checked}; "
        f"epochs trained: {audit['epochs']:,} of {audit['full_length_epochs']:,}."
    )


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
            f"activations {best['activations']:,}{_latency(best)}",
            recipe,
            *([refit_words(best["refit"])] if best.get("refit") else []),
        ]
    )


def _latency(best: dict[str, Any]) -> str:
    if best["latency_ms"] is None:
        return ""
    return f"  latency {best['latency_ms']:.3g} ms (median of the repeats +{best['latency_ms_spread']:.2g} ms)"


def refit_words(facts: dict[str, Any]) -> str:
    """The network that `refit` saved."""
    return (
        f"trial {facts['trial']:04d} {facts['architecture']['name']} trained on {facts['train_images']:,} images: "
        f"test error {facts['test_error']:.2f} % (one run, {facts['test_images']:,} test images)\n"
        f"weights: {facts['folder']}/{facts['weights']}   how to build it: {facts['folder']}/model.json"
    )


def model_export_words(facts: dict[str, Any]) -> str:
    """The network that `export-model` wrote."""
    if facts["format"] == "safetensors":
        return f"{facts['file']}: weights, under torchvision's names"
    pixels, logits = (f"({', '.join(map(str, facts[name]))})" for name in ("pixels", "logits"))
    return (
        f"{facts['file']}: pixels {pixels} uint8 to logits {logits}, any number of images\n"
        f"on {facts['compared_images']:,} test images at most {facts['largest_difference']:.1e} off the network"
    )
