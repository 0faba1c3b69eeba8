"""Whether this machine is ready."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.search.cli import machine_checks
from resnext_search.search.cli.machine_checks import check_machine
from resnext_search.search.cli.run import calibrating
from resnext_search.search.machines import gpus, open_files
from resnext_search.search.planning import calibration
from resnext_search.spaces.errors import PluginError

from tests.support.helpers import TINY_STUDY, tiny_study
from tests.support.shell import Shell
from tests.support.trees import damage, write_digits


def test_everything_a_study_needs_is_looked_at_on_this_machine() -> None:
    checks = {check.what: check for check in check_machine()}
    assert set(checks) >= {
        *("python", "torch", "torchvision", "ax-platform", "botorch", "ray", "pandas", "numpy", "scipy", "pydantic"),
        *("cores", "GPUs", "free memory", "free disk here"),
        *("data set digits", "data set fashion_mnist", "data set cifar10", "data set cifar100"),
    }
    assert checks["data set digits"].found == "readable"  # it comes with scikit-learn
    assert all(checks[name].ok for name in ("python", "torch", "ray", "ax-platform"))


def test_a_data_set_that_is_missing_is_no_fault_but_comes_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # data are looked for below the folder the command is started in
    check = {check.what: check for check in check_machine()}["data set cifar10"]
    assert (check.found, check.ok) == ("not found", True)
    assert check.advice
    assert list(tmp_path.iterdir()) == []  # nothing is downloaded


def test_a_missing_package_is_a_fault_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "PACKAGES", ("numpy", "no-such-package-as-this"))
    missing = next(check for check in check_machine() if check.what == "no-such-package-as-this")
    assert missing == ("no-such-package-as-this", "not installed", False, "pip install -e . -c constraints.txt", True)


def test_too_little_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "LEAST_MEMORY_BYTES", 2**60)
    memory = next(check for check in check_machine() if check.what == "free memory")
    assert (memory.ok, memory.advice) == (False, "a trial takes about 1 GiB")


def test_every_image_of_a_study_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = damage(write_digits(tmp_path / "tree", train=60, test=60))
    study = tiny_study(
        f"data={{name: image_folder, root: {tree}, resolution: 8, classes: 10, train_images: 32}}",
        "trainer.batch_size=16",
    )
    check = check_machine(study)[-1]
    assert (check.what, check.ok, check.stops) == ("images of tiny", False, True)
    assert check.found.startswith(f"data: image_folder: 6 of 126 images cannot be read: {tree}/train/0/aa-empty.png")
    assert check.advice == "Mend them or take them away, or leave them out with data.unreadable=skip."
    skipping = study.model_copy(update={"data": study.data.model_copy(update={"unreadable": "skip"})})
    check = check_machine(skipping)[-1]
    assert (check.what, check.found, check.ok) == ("images of tiny", "readable", True)
    assert check.advice.startswith("6 of 126 images cannot be read and are left out: ")


def test_images_that_are_kept_in_memory_need_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = write_digits(tmp_path / "tree", train=60, test=60)
    data = f"data={{name: image_folder, root: {tree}, resolution: 512, classes: 10, train_images: 32, view: whole}}"
    study = tiny_study(data, "trainer={batch_size: 16, augment: crop}", "search.parallel=1", "resources.cluster=local")
    words, check = check_machine(study)[-2:]  # 120 images of 3 x 512 x 512 bytes
    assert (words.what, check.what) == ("images of tiny", "memory for images of tiny")
    assert (check.found, check.ok) == ("0.09 GiB in every worker, 1 at once", True)
    monkeypatch.setattr(machine_checks, "LEAST_MEMORY_BYTES", 2**60)
    [*_, check] = check_machine(study)
    advice = "lower search.parallel, or data.memory to read images from their files"
    assert (check.ok, check.stops, check.advice) == (False, False, advice)


def test_an_address_of_the_environment_that_would_stop_a_study_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "PACKAGES", ())

    def cluster(*overrides: str) -> tuple[str, bool]:
        return next(check[1:3] for check in check_machine(tiny_study(*overrides)) if check.what == "cluster")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert cluster() == ("none: trials run on this machine", True)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    words = "RAY_ADDRESS: no Ray cluster answers at 127.0.0.1:1: [Errno 111] Connection refused"
    assert cluster() == (words, False)
    assert cluster("resources.cluster=local") == ("none: trials run on this machine", True)


def test_where_the_environment_names_a_cluster_this_machine_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "PACKAGES", ())
    monkeypatch.setattr(calibration, "_PROGRAM", "")
    for named, elsewhere in ((None, True), ("local", False)):
        monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
        study = tiny_study("resources.cpu=1024", f"resources.cluster={named or 'null'}")
        assert ("room for a trial of tiny" not in {check.what for check in check_machine(study)}) is elsewhere
        with calibrating(study, study.feasible_set()) as process:
            assert process.elsewhere is elsewhere


def test_plug_ins_that_do_not_work_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise PluginError(f"plug-in {name} cannot be imported")

    monkeypatch.setattr(machine_checks, "dataset_names", lambda: ("digits", "shapes"))
    monkeypatch.setattr(machine_checks, "dataset_plugin", broken)
    monkeypatch.setattr(machine_checks, "trainer_names", lambda: ("mine",))
    monkeypatch.setattr(machine_checks, "trainer_plugin", broken)
    checks = {check.what: check for check in check_machine()}
    assert checks["data set shapes"][1:3] == ("plug-in shapes cannot be imported", False)
    assert checks["trainer mine"][1:3] == ("plug-in mine cannot be imported", False)
    assert checks["data set digits"].ok


def limited_to(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _: (most, 4_096))


@pytest.mark.parametrize(("most", "ok", "stops"), [(64, False, True), (128, False, False), (1_024, True, False)])
def test_too_few_open_files_for_ray_would_stop_a_study(
    monkeypatch: pytest.MonkeyPatch, most: int, ok: bool, stops: bool
) -> None:
    limited_to(most, monkeypatch)
    check = next(check for check in check_machine() if check.what == "open files")
    assert (check.ok, check.stops) == (ok, stops)
    assert check.advice == ("" if ok else "Give first: ulimit -n 1024")


def test_what_would_stop_a_study_is_found_before_it_is_begun() -> None:
    assert not [check.what for check in check_machine(tiny_study()) if check.stops]
    study = tiny_study("resources.cpu=1024", "trackers=[mlflow]", "limits.training_flops=1")
    stops = {check.what: check.found for check in check_machine(study) if check.stops}
    assert stops["room for a trial of tiny"].startswith("resources: a trial wants 1024 cores and ")
    assert stops["limits of tiny"].startswith("limits.training_flops: found 1; allowed: at least ")
    empty = tiny_study("budget={multiply_adds: 7, tolerance: 1%}")
    assert "architectures of tiny" in [check.what for check in check_machine(empty) if check.stops]


def test_the_command_ends_with_2_if_something_would_stop_a_study(shell: Shell) -> None:
    (shell.folder / "study.yaml").write_text(TINY_STUDY)
    shell.done("doctor", "study.yaml")
    code, out, err = shell.ended("doctor", "study.yaml", "resources.cpu=1024")
    assert (code, err) == (2, "")
    assert "STOP room for a trial of tiny: resources: a trial wants 1024 cores and " in out


@pytest.mark.parametrize(
    ("seen", "driver", "trouble", "found", "ok"),
    [
        ([], "", "", "none", True),
        (["NVIDIA H200"], "1", "", "NVIDIA H200", True),
        ([], "2", "torch is too old", "none that torch sees; the driver has 2: torch is too old", False),
        (["NVIDIA H200"], "1", "no kernel image", "NVIDIA H200; the driver has 1: no kernel image", False),
        (
            ["NVIDIA H200"],
            "2",
            "",
            "NVIDIA H200; the driver has 2: torch sees no more; trials on the others would fail",
            False,
        ),
    ],
)
def test_gpus_that_torch_cannot_use_are_a_fault(
    monkeypatch: pytest.MonkeyPatch, seen: list[str], driver: str, trouble: str, found: str, ok: bool
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine_checks, "said_by", lambda *_: driver)
    monkeypatch.setattr(gpus, "gpu_trouble", lambda: trouble)
    check = machine_checks._gpus(seen)
    assert (check.found, check.ok) == (found, ok)
    assert ("resources.gpu=0" in check.advice) != ok


def test_gpus_that_the_user_hides_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(machine_checks, "said_by", lambda *_: "2")
    assert machine_checks._gpus([]).found == "none"
