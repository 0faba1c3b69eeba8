"""How do the states of trials come to a place that all machines see, and back? Workers write and read them themselves.

Below a folder of the study's own, named after its birth. Workers import this file, so it imports no torch.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

from resnext_search.results.journal.folder import checkpoint_name
from resnext_search.results.journal.rows import Trial
from resnext_search.search.storage.place import Place, reason
from resnext_search.spaces.uris import is_uri

_log = logging.getLogger(__name__)

KEY = "resources.checkpoints"
# What the driver writes, so that every machine can tell its storage from another one of the same name.
PROOF = "proof"
# How long a worker tries to read what must be there, and how long it waits between two tries.
PATIENCE_SECONDS = 60.0
AGAIN_SECONDS = 5.0


class SharedStates(NamedTuple):
    """Where the states of a study's trials are: what a worker is told of it.

    Args:
        uri: Of the place, as the study names it.
        study: Name of the study's folder there.
        proof: What the driver wrote there when it began.
    """

    uri: str
    study: str
    proof: str

    @property
    def place(self) -> Place:
        """The place, seen from this machine; made once in a process."""
        return _place(self.uri)

    def read(self, trial_id: int) -> memoryview | None:
        """The state that a trial goes on from; None if there is none or, as the log says, it cannot be read."""
        try:
            found = _tried(lambda: self.place.read(self.name(trial_id)))
        except Exception as error:  # it may be there, and the trial is not lost without it
            _log.warning("checkpoint of trial %d cannot be read: %s; the trial starts over", trial_id, reason(error))
            return None
        return None if found is None else memoryview(found)

    def write(self, trial_id: int, content: bytes | memoryview) -> None:
        """Put a state into the place of the one before, which stays, with a warning in the log, if that fails."""
        try:
            self.place.write(self.name(trial_id), content)
        except Exception as error:
            words = "checkpoint of trial %d cannot be written: %s; the one before stays, if any"
            _log.warning(words, trial_id, reason(error))

    def name(self, trial_id: int) -> str:
        """Of a trial's state, in the place."""
        return f"{self.study}/{checkpoint_name(trial_id)}"


@cache
def _place(uri: str) -> Place:
    return Place(uri, KEY)


def why_other_storage(states: SharedStates) -> str:
    """Why no trial is to be trained on this machine, which does not see what the driver sees; empty if it does.

    Mounting the same disk there helps, or the same endpoint, region and credentials.
    """
    blind = f"it does not see the storage of this study, {KEY}={states.uri}"
    try:
        found = _tried(lambda: states.place.read(f"{states.study}/{PROOF}"))
    except Exception as error:
        return f"{blind}: {reason(error)}"
    if found == states.proof.encode():
        return ""
    what = "nothing of it there" if found is None else "what another driver wrote"
    return f"{blind}: found {what}; expected: what the driver of this run wrote"


def _tried(read: Callable[[], bytes | None]) -> bytes | None:
    """What a read gives, tried again for a while if the store does not answer."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return read()
        except OSError:
            if time.monotonic() >= patience:
                raise
            time.sleep(AGAIN_SECONDS)


class StoredCheckpoints:
    """The `Checkpoints` of trials whose workers write their states to a place that the driver sees too.

    Args:
        uri: The place, as the study names it.
        study: Name of the study's folder there, as of `study_folder`.

    Raises:
        UsageError: The place cannot be used from here.
    """

    def __init__(self, uri: str, study: str) -> None:
        self.states = SharedStates(uri, study, secrets.token_hex(16))
        self.place = Place(uri, KEY)
        with self.place.expected():
            self.place.write(f"{study}/{PROOF}", self.states.proof.encode())
        self._closed = False
        # the driver's loop waits for no store
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoints")

    def last_epoch(self, trial: Trial) -> int | None:
        """As of `Checkpoints`; what is in a state is known to workers alone."""
        try:
            return None if self.place.has(self.states.name(trial.trial_id)) else 0
        except OSError:
            return None

    def forget(self, trial_id: int) -> None:
        """As of `Checkpoints`."""
        if self._closed:  # what waited for the copy of a journal
            self._delete(trial_id)
        else:
            self._beside.submit(self._delete, trial_id)

    def close(self) -> None:
        """Delete what is still to go; the driver's loop has ended."""
        self._closed = True
        self._beside.shutdown()

    def _delete(self, trial_id: int) -> None:
        try:
            self.place.delete(self.states.name(trial_id))
        except OSError as error:  # it is of no more use, and does no harm
            _log.warning("checkpoint of trial %d cannot be deleted: %s", trial_id, reason(error))


def study_folder(name: str, birth: str) -> str:
    """The folder of a study in a place that several studies share.

    >>> study_folder("fixed-flops", "8f3e12ab90cd4417")
    'fixed-flops-8f3e12ab90cd4417'
    """
    return f"{name}-{birth}".removesuffix("-")


def forget_study(checkpoints: str, study: str) -> None:
    """A study has ended: nothing of it stays in the place of its checkpoints, if that is one of its own."""
    if is_uri(checkpoints):
        try:
            Place(checkpoints, KEY).delete_below(study)
        except Exception as error:
            _log.warning("%s/%s cannot be deleted: %s", checkpoints, study, reason(error))
