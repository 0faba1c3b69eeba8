"""Are the images there, can all be read, and are they the same ones in every sitting of a study?

That they are the same ones in every worker is seen to in `machines/alike.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import write_whole
from resnext_search.trainers.data.dataset import (
    SAMPLED,
    CountedDataset,
    Dataset,
    DatasetOfFiles,
    InspectedDataset,
    fingerprint_of,
)
from resnext_search.trainers.data.readers import check_dataset, load_dataset
from resnext_search.trainers.data.split_check import expect_enough
from resnext_search.trainers.data.splits import is_drawn_by_chance


@dataclass(frozen=True)
class Images:
    """What the driver has found."""

    words: tuple[str, ...]  # what the user should know of it, a sentence each; none if all is as usual
    fingerprint: str  # of images that stay in files; empty for data sets that are published
    reading: str = ""  # of files that are read or divided in special ways; empty if none is
    memory_bytes: int = 0  # that every process keeps of them, decoded
    content: str = ""  # digits made of the images, wherever they are: the fingerprint, for those that have one

    def keep(self, folder: StudyFolder) -> None:
        """Remember the images in the study folder; raises `DataError` if the study's first sitting had others."""
        if not self.fingerprint:
            return
        kept = f"{self.fingerprint} {self.reading}".strip()
        if not folder.images.exists():
            write_whole(folder.images, kept + "\n")
            return
        then = folder.images.read_text(encoding="utf-8").strip()
        if set(then.split()) ^ set(kept.split()) == {SAMPLED}:
            fitted = SAMPLED in kept
            raise DataError(
                f"{folder.path}: data.memory: the images {'were' if fitted else 'were not'} kept in memory at the "
                f"study's first trial, and {'do not fit now' if fitted else 'fit now'}: they would be normalised by "
                "other numbers",
                hint=f"Give {'more' if fitted else 'less'}, as then, or start a study with another --out (or name).",
            )
        if then != kept:
            raise DataError(
                f"{folder.path}: the images that can be read are not those of the study's first trial, or are read in "
                "another way",
                hint="Bring back those that were there, or start a new study with another --out (or name).",
            )


def expect_images(study: Study) -> Images:
    """Read a study's data set once, before a run.

    Raises:
        DataError: It is missing, images cannot be read, or there are too few of them.
    """
    dataset = check_dataset(study.data)
    load_dataset.cache_clear()  # the driver needs its memory for other things
    expect_enough(dataset, study)
    left_out = _left_out(study.data, dataset)
    remarks = dataset.remarks if isinstance(dataset, InspectedDataset) else ()
    return Images(
        (*left_out, *remarks),
        _fingerprint(dataset),
        _reading(dataset, study),
        _memory_bytes(dataset, study),
        fingerprint_of(dataset),
    )


def _memory_bytes(dataset: Dataset, study: Study) -> int:
    if isinstance(dataset, CountedDataset) and dataset.is_kept(study.trainer.augment):
        return dataset.bytes_decoded()
    return 0


def _fingerprint(dataset: Dataset) -> str:
    return dataset.fingerprint if isinstance(dataset, DatasetOfFiles) else ""


def _reading(dataset: Dataset, study: Study) -> str:
    if not isinstance(dataset, InspectedDataset):
        return ""
    helped = not study.has_folds and not is_drawn_by_chance(dataset, study.data, study.root_seed)
    return f"{'every-class ' * helped}{dataset.reading}".strip()


def _left_out(data: DataConfig, dataset: Dataset) -> Iterator[str]:
    if not isinstance(dataset, DatasetOfFiles) or not (left_out := dataset.left_out):
        return
    from resnext_search.trainers.data.image_folder import named  # image libraries, which other data sets do not need

    total = len(left_out) + len(dataset.labels)
    yield f"{len(left_out):,} of {total:,} images cannot be read and are left out: {named(data.root, left_out)}"
