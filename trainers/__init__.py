"""What one trial does: build the network, read the data, train epoch by epoch, and measure what that takes.

Imports `spaces` and torch; knows neither of the optimizer nor of the journal.
"""

from resnext_search.spaces.search_space.objectives import Latency as Latency
from resnext_search.trainers.calibration import Calibration as Calibration
from resnext_search.trainers.calibration import measure as measure
from resnext_search.trainers.data.dataset import Dataset as Dataset
from resnext_search.trainers.data.in_memory import MemoryDataset as MemoryDataset
from resnext_search.trainers.data.readers import load_dataset as load_dataset
from resnext_search.trainers.data.splits import Splits as Splits
from resnext_search.trainers.data.splits import split as split
from resnext_search.trainers.latency import MeasuredFirst as MeasuredFirst
from resnext_search.trainers.latency import measure_latency as measure_latency
from resnext_search.trainers.resnext import build_network as build_network
from resnext_search.trainers.resnext import copy_weights as copy_weights
from resnext_search.trainers.training import Epoch as Epoch
from resnext_search.trainers.training import TrainingDiverged as TrainingDiverged
from resnext_search.trainers.training import train as train
