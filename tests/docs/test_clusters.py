"""docs/how-to/clusters.md: what stands there for Slurm and Kubernetes is understood, and run where it can be."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from resnext_search.results import Journal
from resnext_search.search.cli.main import commands

from benchmarks.reliability.killing.machines import NotAllowed, allowed
from tests.docs.commands import ROOT
from tests.support.helpers import TINY_STUDY

PAGE = (ROOT / "docs" / "how-to" / "clusters.md").read_text(encoding="utf-8")
CALLS = re.findall(r"resnext-search ((?:run|resume) .*)", PAGE.replace("\\\n", ""))


def block(kind: str) -> str:
    """The only block of a kind on the page."""
    [found] = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("call", CALLS)
def test_every_command_of_the_page_is_understood(call: str) -> None:
    name, *words = shlex.split(call)
    assert commands.commands[name].make_context(name, words).params


def test_the_job_of_kubernetes_is_one() -> None:
    job = yaml.safe_load(block("yaml"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec, cluster = job["spec"], job["spec"]["rayClusterSpec"]
    assert spec["entrypoint"].startswith("resnext-search run /studies/study.yaml ")
    assert "resources.gpu=1" in spec["entrypoint"].split(), "no worker is up when it is asked"
    head, [workers] = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert head["rayStartParams"] == {"num-cpus": "0"}
    [driver] = head["template"]["spec"]["containers"]
    [volume] = head["template"]["spec"]["volumes"]
    assert [mount["mountPath"] for mount in driver["volumeMounts"] if mount["name"] == volume["name"]] == ["/studies"]
    assert (workers["minReplicas"], workers["maxReplicas"], workers["rayStartParams"]) == (0, 16, {})
    [worker] = workers["template"]["spec"]["containers"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert worker["image"] == driver["image"], "what must be alike"


def test_the_script_for_slurm_is_one() -> None:
    script = block("bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    assert script.startswith("#!/bin/bash\n#SBATCH ")
    assert "resources.cluster=auto" in script, "`symmetric-run` tells nobody where its cluster is"


# What the commands of Slurm say on its only node. GPUs there are none.
SLURM = """
srun() { "$@"; }
scontrol() { echo 127.0.0.1; }
export SLURM_JOB_NODELIST=here SLURM_JOB_ID=7 SLURM_NNODES=1 USER=me
"""
# A machine of its own: `ray stop`, which `symmetric-run` ends with, sees no processes but those of this one.
ALONE = "mount -t tmpfs none /tmp/ray && mount -t tmpfs none /dev/shm && ip link set lo up && exec bash job.sh"


@pytest.mark.slow
def test_the_script_for_slurm_runs_a_study_on_one_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        own = allowed()
    except NotAllowed as error:
        pytest.skip(f"NOT RUN: this machine allows no namespaces, and `ray stop` would end every Ray on it: {error}")
    for name, runs in (("ray", "ray.scripts.scripts"), ("resnext-search", "resnext_search.search")):
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {runs} "$@"\n')
        (tmp_path / name).chmod(0o755)
    script = block("bash").replace("resources.gpu=1", "resources.gpu=0").replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "job.sh").write_text(SLURM + script)
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    for variable, value in (("HOME", str(tmp_path)), ("PATH", f"{tmp_path}:{os.environ['PATH']}")):
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "7" * 64)
    apart = ["unshare", *own, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run(
        [*apart, "sh", "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^Ray cluster at 127.0.0.1:20007 \(resources.cluster=auto\)$", done.stdout, re.MULTILINE)
    with Journal(tmp_path / "me" / "study" / "journal.sqlite", read_only=True) as journal:
        assert [trial.state for trial in journal.trials()] == ["completed"] * 4
