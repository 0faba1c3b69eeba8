"""Is a machine looked at before a trial is trained on it? Each that joins is asked what it has, and may be left out.

A worker looks again before its first trial (`alike.look`): it may be placed on a machine that has just joined, before
that has answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from resnext_search.search.machines import alike
from resnext_search.search.machines.left_out import LeftOut
from resnext_search.search.machines.room import Node
from resnext_search.search.machines.settings import on_node, ray
from resnext_search.spaces.errors import escaped

# Gives what a machine has answered: None as long as it has not, and nothing if it is as it should be, or gone.
Answer = Callable[[], str | None]

# A start waits so long for machines to answer; a worker looks again.
PATIENCE_SECONDS = 60.0
ASK_EVERY_SECONDS = 1.0

ray.cloudpickle.register_pickle_by_value(alike)  # type: ignore[no-untyped-call]


class Inspection:
    """Asks machines, and keeps account of those that are left out.

    Args:
        machines: Those that are there now, left out or not, on which a trial finds room.
        ask: Asks the machine of a number; without it none is asked, and no other one comes.
        say: Tells the user.
    """

    def __init__(
        self, machines: Callable[[], Sequence[Node]], ask: Callable[[str], Answer] | None, say: Callable[[str], None]
    ) -> None:
        self._machines, self._ask, self._say = machines, ask, say
        self._asked: dict[str, Answer | None] = {}  # by number; None: it has answered
        self._asked_at = -ASK_EVERY_SECONDS
        self._some_are_fit = False
        self._account = LeftOut()

    def look(self) -> None:
        """Ask those that have joined, once a second, and hear those that have answered."""
        if self._ask is None:
            return
        if time.monotonic() - self._asked_at >= ASK_EVERY_SECONDS:
            self._asked_at = time.monotonic()
            for machine in self._machines():
                if machine.number not in self._asked:
                    self._asked[machine.number] = self._ask(machine.number)
        for number, answer in self._asked.items():
            if answer is not None and (words := answer()) is not None:
                self._asked[number] = None
                if words:
                    self.refuse(number, words)
                else:
                    self._some_are_fit = True

    def wait(self, is_over: Callable[[], object]) -> None:
        """Look until all machines that are there have answered, it is over, or `PATIENCE_SECONDS` have passed."""
        patience = time.monotonic() + PATIENCE_SECONDS
        self.look()
        while any(self._asked.values()) and not is_over() and time.monotonic() < patience:
            time.sleep(0.05)
            self.look()

    def refuse(self, number: str, reason: str) -> None:
        """A machine is left out from now on, which is said once."""
        if self._account.refuse(number, reason):
            self._say(f"{self._name(number)} gets no trials: {reason}")

    def failed(self, number: str, words: str) -> None:
        """A trial failed on a machine before it had gained an epoch there."""
        self._account.failed(number, words)

    def gained(self, number: str) -> None:
        """A trial gained an epoch on a machine."""
        self._some_are_fit = True
        for other in self._account.gained(number):
            self._say(f"{self._name(other)} gets no trials any more: {self._account.reasons[other]}")

    @property
    def has_refused(self) -> bool:
        """Whether any machine was left out for good."""
        return bool(self._account.reasons)

    def left_out(self) -> frozenset[str]:
        """Numbers of the machines that get no trial now; of those for good also when they are gone."""
        return self._account.among(machine.number for machine in self._machines()) | self._account.reasons.keys()

    def fit(self, machines: Iterable[Node]) -> tuple[Node, ...]:
        """Those of these machines that get trials."""
        machines = tuple(machines)
        out = self._account.among(machine.number for machine in machines)
        return tuple(machine for machine in machines if machine.number not in out)

    def why_none_is_fit(self) -> str:
        """Why no machine can be used, of which there are some; empty if one can, or could and may come back."""
        there = self._machines()
        may_come_back = self._ask is not None and self._some_are_fit
        if may_come_back or not there or any(machine.number not in self._account.reasons for machine in there):
            return ""
        return "no machine can be used:\n" + "\n".join(self._reasons(there))

    def _reasons(self, machines: Sequence[Node], most: int = 10) -> Iterator[str]:
        for machine in machines[:most]:
            yield f"  {machine.name}: {self._account.reasons[machine.number]}"
        if len(machines) > most:
            yield f"  and {len(machines) - most} more"

    def _name(self, number: str) -> str:
        return next((machine.name for machine in self._machines() if machine.number == number), f"machine {number[:8]}")


def asking(*arguments: Any) -> Callable[[str], Answer]:
    """What asks a machine of Ray, by its number, to `alike.look` with these arguments."""
    task = ray.remote(max_calls=1)(alike.look)  # its process goes with the images that it has read

    def ask(number: str) -> Answer:
        answer = task.options(num_cpus=0, max_retries=0, scheduling_strategy=on_node(number)).remote(*arguments)

        def heard() -> str | None:
            if not ray.wait([answer], timeout=0)[0]:
                return None
            try:
                return escaped(str(ray.get(answer)))
            except (ray.exceptions.RayTaskError, ray.exceptions.RuntimeEnvSetupError) as error:
                return escaped(f"it cannot be looked at: {str(error).strip().splitlines()[-1]}")
            except ray.exceptions.RayError:  # it is gone, or its process: the worker of a trial looks again
                return ""

        return heard

    return ask
