"""What do the commands print? Plans, and what was asked to stop or to be tried again, as lines."""

from __future__ import annotations

from typing import Any

from resnext_search.results.tables.layout import text_table
from resnext_search.search.monitor.text import forecast_words
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.errors import typed
from resnext_search.spaces.study.units import duration, in_units, short_count


def plan_words(facts: dict[str, Any], width: int | None = None) -> str:
    """The plan of a study; with a `width` no line of the table of its arms is longer."""
    band, match, spans = facts["band"], facts["match_percent"], facts["spans"]
    flops = facts["training_flops"]
    lines = [
        f"{facts['name']}: {_trials(facts['trials'], facts['claim'])}",
        f"FLOP band         {band['low']:,} to {band['high']:,} multiply-adds around {band['target']:,}",
        f"feasible set      {facts['architectures']:,} architectures of {facts['candidates']:,} candidates",
        f"match to budget   {match['lowest']:+.2f} % to {match['highest']:+.2f} %, mean {match['mean']:+.2f} %",
        *(f"{name:18}{low:,} to {high:,}" for name, (low, high) in spans.items()),
        *(f"{name:18}{_knob(knob)}" for name, knob in facts["knobs"].items()),
        *_claim_lines(facts["claim"], facts["rules"], width),
        *(_evidence_lines(facts["claim"]) if facts["rules"] != 1 else []),
        *_stopping_lines(facts["early_stopping"]),
        *_limit_lines(facts["limits"], facts["trials"]),
        f"training          {'unknown number of' if flops is None else f'{flops:.3g}'} floating-point operations",
    ]
    if facts["gpu_bytes"] is not None:
        gib = facts["gpu_bytes"] / 2**30
        lines.append(f"GPU memory        {gib:.2f} GiB a trial, predicted, where it runs on a GPU")
    if facts["gpu_sharing"] is not None:
        lines.append(f"GPU sharing       auto: {facts['gpu_sharing']['why']}")
    if facts["graph"]:
        only = "" if facts["trainer_plugin"] is None else ", if the plug-in trains as the trainer does that is built in"
        lines.append(
            f"graph             a training step is one CUDA graph on a GPU, and is as usual on processors{only}"
        )
    if facts["trainer_plugin"] is not None:
        lines.append(f"time              not measured: the trainer is the plug-in {facts['trainer_plugin']}")
    forecast = facts["forecast"]
    if forecast is not None:
        seconds = {role: duration(value) for role, value in forecast["seconds"].items()}
        lines += [
            f"time              {forecast_words(forecast)}, start-up of about 20 s not counted",
            f"                  ({seconds['cheapest']} if all trials were as fast as the cheapest architecture, "
            f"{seconds['dearest']} as slow as the dearest)",
            f"memory            {forecast['peak_bytes'] / 2**30:.1f} GiB at most, all workers together",
        ]
        lines += [] if forecast["images"] is None else [_image_line(forecast["images"])]
    lines += [f"warning           {warning}" for warning in facts["warnings"]]
    return "\n".join(lines)


def _image_line(images: dict[str, Any]) -> str:
    """Whether the images lie in memory, and what they take of it."""
    decoded, allowed = (f"{short_count(images[name])}B" for name in ("bytes", "allowed"))
    if images["kept"]:
        return f"images            {images['count']:,} in memory, {decoded} in every worker"
    too_many = f"decoded they take {decoded}, and data.memory allows {allowed}"
    why = too_many if images["bytes"] > images["allowed"] else "trainer.augment: standard draws parts of them"
    return f"images            {images['count']:,}, read from their files as they are needed: {why}"


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


def _claim_lines(claim: dict[str, Any] | None, rules: int, width: int | None) -> list[str]:
    if claim is None:
        return []
    budgets = " and ".join(f"{budget:,}" for budget in claim["budgets"])
    margin = f"margin {claim['margin']:g} points{f', rules {rules}' * (rules != 1)}"
    title = f"claim             {claim['kind']}, {budgets} multiply-adds, {margin}"
    if claim["spaces"]:
        return [title, *_space_lines(claim["spaces"], claim["seeds"], width)]
    names = ["arm", "network", "blocks", "group widths"]
    rows = [
        [
            arm["arm"],
            arm["architecture"],
            dashed(arm["blocks"]),
            dashed(arm["group_widths"]),
            f"{arm['match_percent']:+.2f} %",
            f"{arm['parameters']:,}",
            f"{arm['activations']:,}",
        ]
        for arm in claim["arms"]
    ]
    heading = [*names, "match", "parameters", "activations"]
    dispensable = ["activations", "parameters", "group widths", "blocks"]
    return [
        title,
        *text_table([heading, *rows], names=names, width=width, dispensable=dispensable),
        *(
            f"  {arm['arm']} is not matched: it shows what the budget buys"
            for arm in claim["arms"]
            if not arm["matched"]
        ),
    ]


def _space_lines(spaces: list[dict[str, Any]], networks: int, width: int | None) -> list[str]:
    """The spaces, what their networks cost on average, and how far apart they are in multiply-adds."""
    costs = ["multiply-adds", "parameters", "activations"]
    rows = [["space", "networks", "drawn", *costs]]
    for space in spaces:
        means = [f"{space[cost.replace('-', '_')]:,}" for cost in costs]
        rows.append([space["space"], f"{space['networks']:,}", f"{networks:,}", *means])
    (_, first), (name, second) = ((space["space"], space["multiply_adds"]) for space in spaces)
    dearer = 100 * (second / first - 1)
    return [
        *text_table(rows, names=["space"], width=width, dispensable=["activations", "parameters"]),
        f"  costs are means of those drawn; {name}, which is to err less, costs {dearer:+.2f} %",
    ]


def _evidence_lines(claim: dict[str, Any] | None) -> list[str]:
    """How the arms are tuned, confirmed and looked at, under the second rules."""
    if claim is None:
        return []
    tuning, seeds, looks = claim["tuning"], claim["seeds"], claim["looks"]
    of_spaces = bool(claim["spaces"])
    confirmed = claim["confirm_trials"] - claim["runner_up_trials"] - claim["finalist_trials"]
    apart = [
        f"{count} of {of}"
        for count, of in (
            (claim["runner_up_trials"], "rates that came second"),
            (claim["finalist_trials"], "finalists of the search"),
        )
        if count
    ]
    tuned = f"{tuning['rates']} rates of every arm on one seed, then {tuning['second_rates']} around its best on "
    tuned += f"{tuning['second_seeds']} more"
    if of_spaces:
        tuned = f"{tuning['rates']} rates of {tuning['networks']} more networks a space, and one fit over all of them"
    each = "networks a space, each on a seed of its own" if of_spaces else "seeds an arm"
    lines = [
        f"tuning            {tuned}: {claim['tune_trials']} trials, more if a best one lies at the edge",
        f"confirmation      {seeds} {each}: {', '.join([f'{confirmed} trials', *apart])}",
    ]
    if looks is not None:
        after = f"{', '.join(map(str, looks))} {'networks' if of_spaces else 'seeds'}"
        lines.append(f"looks             after {after}; the study ends at the first that settles it")
    if claim["folds"] is not None:
        lines.append(
            f"folds             {claim['folds']} of all images, in turn: one validates or tests, the others train"
        )
    return lines


def _knob(knob: dict[str, Any]) -> str:
    if knob["values"]:
        return ", ".join(f"{value:g}" for value in knob["values"])
    return f"{knob['low']:g} to {knob['high']:g}, {'log' if knob['log'] else 'linear'} scale"


def model_export_words(facts: dict[str, Any]) -> str:
    """The network that `export-model` wrote."""
    if facts["format"] == "safetensors":
        return f"{facts['file']}: weights, under torchvision's names"
    pixels, logits = (f"({', '.join(map(str, facts[name]))})" for name in ("pixels", "logits"))
    return (
        f"{facts['file']}: pixels {pixels} uint8 to logits {logits}, any number of images\n"
        f"on {facts['compared_images']:,} test images at most {facts['largest_difference']:.1e} off the network"
    )


def stop_words(facts: dict[str, Any]) -> str:
    """What `stop` did."""
    folder, count = facts["folder"], len(facts["running"])
    if not facts["live"]:
        return f"{folder}: no run is at work there, so there is nothing to stop"
    trials = "its trial" if count == 1 else f"its {count} trials"
    if facts["asked"] == "drain":
        does = "starts no new trial and ends when those that run have ended" if count else "starts no trial, and ends"
        then = f"Follow it with: resnext-search status {typed(folder)} --watch"
    else:
        does = f"interrupts {trials} and ends within seconds" if count else "ends within seconds"
        then = f"Continue with: resnext-search resume {typed(folder)}"
    return f"{folder}: the run there ({facts['run']}) {does}\n{then}"


def retry_words(facts: dict[str, Any]) -> str:
    """What `retry` did."""
    folder, trials = facts["folder"], facts["trials"]
    if not trials:
        return f"{folder}: no trial has failed, so there is nothing to try again"
    numbers = ", ".join(f"{trial:04d}" for trial in trials)
    return (
        f"{folder}: {len(trials)} trial{'s' * (len(trials) != 1)} queued again, to be trained from the start: "
        f"{numbers}\n"
        f"Run them with: resnext-search resume {typed(folder)}"
    )
