"""What is printed of a device: a line for every figure, as soon as it is known."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator

import torch
from resnext_search.trainers.device import release


class Report:
    """Prints what is found on a device, and says how much time is left for the rest.

    Args:
        device: That is looked at.
        seconds: For all of it; what does not fit is said to be left out.
    """

    def __init__(self, device: torch.device, seconds: float) -> None:
        self.device, self.seconds, self._began = device, seconds, time.perf_counter()
        self.counts = Counter[str]()

    @property
    def on_gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.device.type == "cuda"

    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.perf_counter() - self._began)

    def check(self, name: str, condition: str, passed: bool, **figures: object) -> None:
        """Print whether a condition holds, with the figures that say so."""
        self._print("PASS" if passed else "FAIL", f"{name}: {condition}", figures)

    def figure(self, name: str, **figures: object) -> None:
        """Print what decides something, but is neither right nor wrong."""
        self._print("INFO", name, figures)

    def not_here(self, name: str, reason: str) -> None:
        """Print that something cannot be seen on a processor."""
        self._print("NONE", f"{name}: not on a CPU: {reason}", {})

    def row(self, look: Callable[[Report], None], least_seconds: float) -> None:
        """Take one look at the device, if there is time for it; an error fails it, and leaves the others."""
        if self.left() < least_seconds:
            self._print("LEFT", f"{look.__name__}: {self.left():.0f} s are left, and it needs {least_seconds:.0f}", {})
            return
        try:
            look(self)
        except Exception as error:  # whatever a driver and its libraries say
            words = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
            self._print("FAIL", f"{look.__name__}: it ended with {words}", {})
        self.clean()

    def clean(self) -> None:
        """Give back what was used."""
        gc.collect()
        release(self.device)

    def wait(self) -> None:
        """Wait for the device."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def clock(self, steps: Iterator[object], count: int) -> tuple[float, float]:
        """Milliseconds of a step, of so many: until the device has done them, and until Python has asked for them."""
        self.wait()
        began = time.perf_counter()
        for _ in range(count):
            next(steps)
        asked = time.perf_counter() - began
        self.wait()
        return 1_000 * (time.perf_counter() - began) / count, 1_000 * asked / count

    def _print(self, word: str, text: str, figures: dict[str, object]) -> None:
        self.counts[word] += 1
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in figures.items())
        print(f"{time.perf_counter() - self._began:6.1f}s {word} {text}{' | ' * bool(shown)}{shown}", flush=True)


def endless(step: Callable[[], object]) -> Iterator[object]:
    """One step after the other."""
    while True:
        yield step()


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
