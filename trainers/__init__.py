"""What one trial does: build the network, read the data, train epoch by epoch, and measure what that takes.

Imports `spaces` and torch; knows neither of the optimizer nor of the journal.
"""

from resnext_search.spaces.search_space.objectives import Latency
from resnext_search.trainers.calibration import Calibration, measure
from resnext_search.trainers.data.dataset import Dataset
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.data.splits import Splits, splits_of
from resnext_search.trainers.latency import MeasuredFirst, measure_latency
from resnext_search.trainers.resnext import build_network, copy_weights
from resnext_search.trainers.training import Epoch, TrainingDiverged, train

__all__ = [
    "Calibration",
    "Dataset",
    "Epoch",
    "Latency",
    "MeasuredFirst",
    "MemoryDataset",
    "Splits",
    "TrainingDiverged",
    "build_network",
    "copy_weights",
    "load_dataset",
    "measure",
    "measure_latency",
    "splits_of",
    "train",
]
