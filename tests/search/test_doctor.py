"""Whether this machine is ready."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.search import doctor
from resnext_search.search.doctor import examine


def test_everything_a_study_needs_is_looked_at_on_this_machine() -> None:
    findings = {finding.what: finding for finding in examine()}
    assert set(findings) >= {
        *("python", "torch", "torchvision", "ax-platform", "botorch", "ray", "pandas", "numpy", "scipy", "pydantic"),
        *("cores", "GPUs", "free memory", "free disk here"),
        *("data set digits", "data set fashion_mnist", "data set cifar10", "data set cifar100"),
    }
    assert findings["data set digits"].found == "readable"  # it comes with scikit-learn
    assert all(findings[name].ok for name in ("python", "torch", "ray", "ax-platform"))


def test_a_data_set_that_is_missing_is_no_fault_but_comes_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # data are looked for below the folder the command is started in
    finding = {finding.what: finding for finding in examine()}["data set cifar10"]
    assert (finding.found, finding.ok) == ("not found", True)
    assert finding.advice
    assert list(tmp_path.iterdir()) == []  # nothing is downloaded


def test_a_missing_package_is_a_fault_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no-such-package-as-this"))
    missing = next(finding for finding in examine() if finding.what == "no-such-package-as-this")
    assert missing == ("no-such-package-as-this", "not installed", False, "pip install -e . -c constraints.txt")


def test_too_little_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_MEMORY_BYTES", 2**60)
    memory = next(finding for finding in examine() if finding.what == "free memory")
    assert (memory.ok, memory.advice) == (False, "a trial takes about 1 GiB")
