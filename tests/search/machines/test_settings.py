"""What Ray is told before it is imported, where its own way can stop a study for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import os
from resnext_search.search.machines import settings
print(*(os.environ[name] for name in ("RAY_prestart_worker_first_driver", "TUNE_FUNCTION_THREAD_TIMEOUT_S")))
"""


def settings(**given: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))}
    return subprocess.check_output([sys.executable, "-c", CODE], env=environment | given, text=True).split()


def test_no_worker_is_waited_for_that_may_never_start_and_a_slow_one_is_given_time() -> None:
    assert settings() == ["0", "60"]


def test_what_the_user_has_set_stays() -> None:
    assert settings(RAY_prestart_worker_first_driver="1") == ["1", "60"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "expandable_segments:True"),
        ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64"}, "None"),  # its older name
    ],
)
def test_a_gpus_memory_grows_in_place_unless_the_user_says_otherwise(given: dict[str, str], found: str) -> None:
    code = "import os\nfrom resnext_search.search.machines import settings\nprint(os.environ.get('PYTORCH_ALLOC_CONF'))"
    environment = {name: value for name, value in os.environ.items() if not name.endswith("ALLOC_CONF")}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment | given, text=True).strip() == found


def test_a_command_line_that_is_no_utf_8_is_spelt_out_for_ray() -> None:
    code = "from resnext_search.search.machines.settings import ray; print(ray._private.utils.get_entrypoint_name())"
    words = subprocess.check_output([sys.executable, "-c", code, b"caf\xe9.yaml"], text=True)
    assert words.rstrip().endswith("caf\\udce9.yaml")
