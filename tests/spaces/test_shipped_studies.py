"""The study files that come with the package: all of them load, and their feasible sets stay what they are.

After a change that is meant, `python tests/spaces/test_shipped_studies.py` writes the golden files again; review the
diff: published results belong to these sets.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import resnext_search.spaces
from resnext_search.spaces import FeasibleSet, Study, load_study
from resnext_search.spaces.architecture.complexity import complexity, convolutions
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.yaml_reader import read_yaml

GOLDEN = Path(__file__).parent / "golden"
STUDIES = sorted(Path(str(resnext_search.spaces.__file__)).parent.glob("*.yaml"))

shipped = pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)


def summary(feasible: FeasibleSet) -> dict[str, object]:
    """A feasible set in few words; the hash changes with any member, count or place."""
    counts = np.stack([np.asarray(column) for column in feasible.counts], axis=1).tolist()
    lines = [
        f"{each.cardinality} {list(each.group_widths)} {list(each.blocks)} {counted}\n"
        for each, counted in zip(feasible, counts, strict=True)
    ]
    values, sizes = np.unique(feasible.cardinality, return_counts=True)
    return {
        "band": [feasible.band.low, feasible.band.high],
        "size": len(feasible),
        "sizes_by_cardinality": dict(zip(map(str, values.tolist()), sizes.tolist(), strict=True)),
        "widths": [int(feasible.width.min()), int(feasible.width.max())],
        "depths": [int(feasible.depth.min()), int(feasible.depth.max())],
        "first": [each.name for each in feasible[:3]],
        "last": [each.name for each in feasible[-3:]],
        "sha256": sha256("".join(lines).encode()).hexdigest(),
    }


def test_the_shipped_studies_are_these() -> None:
    names = ["ablation_shortcut", "cifar10", "cifar10_spend", "digits_curve", "digits_populations", "fashion_mnist"]
    names += ["fashion_mnist_spend", "fashion_mnist_trade", "fixed_flops", "imagenet", "resnet_tuning"]
    assert [path.stem for path in STUDIES] == names
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == names


@shipped
def test_a_shipped_feasible_set_is_the_golden_one(path: Path) -> None:
    golden = json.loads((GOLDEN / f"{path.stem}.json").read_text(encoding="utf-8"))
    assert summary(load_study(path).feasible_set()) == golden


@shipped
def test_every_member_is_inside_the_band_and_divisible_by_its_groups(path: Path) -> None:
    feasible = load_study(path).feasible_set()
    for architecture in feasible:
        counted = complexity(feasible.template, architecture)
        assert feasible.band.low <= counted.multiply_adds <= feasible.band.high
        layers = convolutions(
            feasible.template, architecture.cardinality, architecture.group_widths, architecture.blocks
        )
        assert all(layer.inputs % layer.groups == 0 == layer.outputs % layer.groups for layer in layers)


@shipped
def test_a_shipped_study_opens_with_the_question_it_answers(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    opening = " ".join(line for line in lines[:2] if line.startswith("# "))
    assert "?" in opening
    assert lines[2] == f"name: {path.stem.replace('_', '-')}"
    assert max(map(len, lines)) <= 120


@shipped
def test_a_shipped_study_survives_json_and_yaml_alike(path: Path) -> None:
    study = load_study(path)
    text = study.model_dump_json()
    assert Study.model_validate_json(text) == study
    assert parse_study(text, "journal") == study  # how a study is resumed: JSON is YAML
    assert hash(study) == hash(Study.model_validate_json(text))


@shipped
def test_the_schema_takes_a_shipped_study(path: Path) -> None:
    jsonschema.validate(read_yaml(path.read_text(encoding="utf-8"), str(path)).value, Study.model_json_schema())


def test_the_first_study_needs_no_download() -> None:
    for name in ("fixed_flops", "resnet_tuning"):
        assert load_study(STUDIES[0].parent / f"{name}.yaml").data.name == "digits"


def test_the_tuning_study_holds_one_resnet_and_three_knobs() -> None:
    study = load_study(STUDIES[0].parent / "resnet_tuning.yaml")
    assert [each.name for each in study.feasible_set()] == ["1x16d-11"]
    assert [knob.name for knob in study.knobs()] == ["learning_rate", "batch_size", "weight_decay"]


def _write_golden_files() -> None:
    for path in STUDIES:
        items = [f'  "{key}": {json.dumps(value)}' for key, value in summary(load_study(path).feasible_set()).items()]
        (GOLDEN / f"{path.stem}.json").write_text("{\n" + ",\n".join(items) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    _write_golden_files()
