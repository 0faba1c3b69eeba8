"""Facts as text for people: what `plan`, `status` and `best` print without `--json`."""

from __future__ import annotations

from typing import Any

from resnext_search.results.journal.rows import ENDED, FINALIST, State, last_line
from resnext_search.results.tables.layout import text_table
from resnext_search.search.planning.forecast import Remaining
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.errors import typed
from resnext_search.spaces.study.units import duration, span

_ORDER: tuple[State, ...] = (*ENDED, "interrupted", "queued", "running")


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
        lines.append(f"  trial {failure['trial']:04d} failed ({failure['class']}): {last_line(failure['message'])}")
    if facts["early_stopping"] is not None:
        lines.append(audit_words(facts["early_stopping"]))
    if facts["best"] is not None:
        lines.append(best_line(facts["best"]))
    if (limit := facts["budget"]["seconds"])["of"] is not None:
        lines.append(f"time at work: {duration(limit['used'])} of {duration(limit['of'])}")
    if not facts["live"] and sum(facts["states"].get(state, 0) for state in ENDED) < facts["trials"]:
        lines.append(f"Continue with: resnext-search resume {typed(facts['folder'])}")
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


def best_words(best: dict[str, Any], width: int | None = None) -> str:
    """The best configuration: a line that names it, what is needed to train it again, and the best of others."""
    recipe = "  ".join(f"{name}={value}" for name, value in best["recipe"].items())
    return "\n".join(
        [
            best_line(best),
            f"blocks {dashed(best['blocks'])}  group widths {dashed(best['group_widths'])}",
            f"multiply-adds {best['multiply_adds']:,}  parameters {best['parameters']:,}  "
            f"activations {best['activations']:,}{_latency(best)}",
            recipe,
            *_confirmed_lines(best),
            *([refit_words(best["refit"])] if best.get("refit") else []),
            *_candidate_lines(best, width),
        ]
    )


def best_line(best: dict[str, Any]) -> str:
    """Which configuration is best, where it came from, and how much of its error may be luck."""
    expected, trials = best.get("expected_validation_error"), len(best["trials"])
    luck = "the lowest reported, so an optimistic figure" if expected is None else f"{expected:.2f} % without its luck"
    mean = f"mean of {trials} trials; " if trials > 1 else ""
    return (
        f"best in band: trial {best['trial']:04d} {best['architecture']}, from {best['origin']}, validation error "
        f"{best['validation_error']:.2f} % ({mean}{luck})"
    )


def _candidate_lines(best: dict[str, Any], width: int | None) -> list[str]:
    """The best of every architecture, as far as they are listed; nothing where there is but one."""
    if len(best.get("candidates", [])) < 2:
        return []
    rows = [["trial", "architecture", "from", "learning rate", "trials", "error %", "expected %", "test %"]]
    rows += [
        [
            f"{one['trial']:04d}",
            f"{one['architecture']} ({dashed(one['blocks'])})",
            one["origin"].removeprefix("the ").replace("tuning of the arm", "arm"),
            f"{one['recipe']['learning_rate']:.4g}",
            str(len(one["trials"])),
            f"{one['validation_error']:.2f}",
            "" if one["expected_validation_error"] is None else f"{one['expected_validation_error']:.2f}",
            "" if one["confirmed"] is None else f"{one['confirmed']['test_error']:.2f}",
        ]
        for one in best["candidates"]
    ]
    names = ["architecture", "from"]
    return [
        "",
        f"The best of every architecture, of {best['configurations']:,} configurations trained to the end:",
        *text_table(rows, names=names, width=width, dispensable=["learning rate", "trials"]),
    ]


def _confirmed_lines(best: dict[str, Any]) -> list[str]:
    """What came of it on fresh seeds and test images, if it was confirmed; an arm is at the rate chosen for it."""
    if (confirmed := best["confirmed"]) is None:
        return []
    is_arm = not confirmed["as"].startswith(FINALIST)
    what = f"its arm, at learning_rate={confirmed['learning_rate']:.4g}, was" if is_arm else "it was"
    runs = confirmed["runs"]
    error = f"test error {confirmed['test_error']:.2f} % (mean of {runs} run{'s' * (runs != 1)})"
    return [f"{what} confirmed on fresh seeds: {error}"]


def _latency(best: dict[str, Any]) -> str:
    if best["latency_ms"] is None:
        return ""
    return f"  latency {best['latency_ms']:.3g} ms (median of the repeats +{best['latency_ms_spread']:.2g} ms)"


def refit_words(facts: dict[str, Any]) -> str:
    """The network that `refit` saved."""
    origin = f", from {facts['origin']}," if "origin" in facts else ""
    name = f"trial {facts['trial']:04d} {facts['architecture']['name']}{origin}"
    return (
        f"{name} trained on {facts['train_images']:,} images: "
        f"test error {facts['test_error']:.2f} % (one run, {facts['test_images']:,} test images)\n"
        f"weights: {facts['folder']}/{facts['weights']}   how to build it: {facts['folder']}/model.json"
    )


def forecast_words(forecast: dict[str, Any]) -> str:
    """What a study will take, and on what.

    >>> forecast_words({"seconds": {"median": 130.0}, "workers": 2, "device": "cpu", "elsewhere": False})
    "2 min 10 s with 2 trials at once on this machine's cores"
    """
    parts = "GPUs" if forecast["device"] == "cuda" else "cores"
    cluster = "; of the cluster nothing was measured" if forecast["elsewhere"] else ""
    workers, seconds = forecast["workers"], forecast["seconds"]["median"]
    at_once = f"{workers} trial{'s' * (workers != 1)} at once"
    return f"{duration(seconds)} with {at_once} on this machine's {parts}{cluster}"


def remaining_words(left: Remaining) -> str:
    """How long the rest takes.

    >>> remaining_words(Remaining(300, 250, 350)), remaining_words(Remaining(42, None, None))
    ('about 5 min 0 s (95 % interval 4 min 10 s to 5 min 50 s)', 'about 42 s')
    """
    interval = "" if left.low is None or left.high is None else f" (95 % interval {span(left.low, left.high)})"
    return f"about {duration(left.seconds)}{interval}"
