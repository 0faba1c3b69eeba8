"""Where did the trials run, and what was the study expected to take there? In words, for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from resnext_search.results.journal.rows import ENDED, Machine
from resnext_search.results.report.facts import Facts
from resnext_search.spaces.study.units import duration, span

# Names of hosts that are shown of one kind of machine.
SHOWN_HOSTS = 4


def hardware_words(facts: Facts) -> list[str]:
    """Every kind of machine that trained, with how many trials it has; one sentence for a study without any."""
    return list(_hardware(facts)) or ["no trial has reported yet"]


def _hardware(facts: Facts) -> Iterator[str]:
    trials = Counter(trial.machine for trial in facts.journal)
    for key, machine in facts.machines.items():
        hosts = sorted({trial.host for trial in facts.journal if trial.machine == key and trial.host})
        yield f"{_trials(trials[key])}{_on(hosts)}: {machine_words(machine)}; {version_words(machine.versions)}"
    unknown = Counter((trial.device, trial.host) for trial in facts.journal if trial.device and trial.machine is None)
    for (device, host), count in unknown.items():
        yield f"{_trials(count)} on {host} ({device}): no more was recorded"


def machine_words(machine: Machine) -> str:
    """What a machine is, without its versions."""
    driver = f", driver {machine.driver}" if machine.driver else ""
    gpu = f"{machine.gpu}{driver}, beside " if machine.gpu else ""
    cores = f"{machine.cores} core{'s' * (machine.cores != 1)}"
    return f"{gpu}{machine.processor}, {cores}, {machine.memory_gib:g} GiB of memory; {machine.system}"


def version_words(versions: Mapping[str, str]) -> str:
    """Versions by name, in one line."""
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _trials(count: int) -> str:
    return f"{count} trial{'s' * (count != 1)}"


def _on(hosts: list[str]) -> str:
    more = f" and {len(hosts) - SHOWN_HOSTS} more" if len(hosts) > SHOWN_HOSTS else ""
    return f" on {', '.join(hosts[:SHOWN_HOSTS])}{more}" if hosts else ""


def forecast_words(facts: Facts) -> str:
    """What the study was expected to take on the clock, what it took so far, and where that was measured."""
    forecast = facts.forecast
    if forecast is None:
        return "No forecast of the time was measured before the first trial; `resnext-search plan` measures one."
    seconds, machine = forecast["seconds"], Machine(**forecast["machine"])
    planned = sum(phase["trials"] for phase in forecast["phases"].values())
    ended = sum(trial.state in ENDED for trial in facts.journal)
    return (
        f"Forecast before the first trial: {duration(seconds['median'])} on the clock "
        f"({span(min(seconds.values()), max(seconds.values()))}, by architecture) for {_trials(planned)}, "
        f"{forecast['workers']} at once, if none is stopped or fails. At work so far: "
        f"{duration(facts.active_seconds)}, with {_trials(ended)} ended. The forecast holds for the machine on which "
        f"it was measured ({machine.computes}, {machine.cores} cores), not for others of a cluster."
    )
