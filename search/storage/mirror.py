"""A copy of what a study knows in a place that outlives the driver's disk, from which another machine can go on.

A thread writes it: what a trial's end would tell the user waits until a copy that has it is there, and training waits
for nothing. The copy is a study folder like any other, without tables.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.reader import JournalReader
from resnext_search.results.journal.rows import Trial
from resnext_search.results.journal.schema import whole_copy
from resnext_search.search.storage.owner import Owner
from resnext_search.search.storage.place import Place, reason
from resnext_search.spaces.errors import FolderLocked, ResnextSearchError, UsageError, typed
from resnext_search.spaces.whole_file import write_whole

# How often the copy is brought up to date while no trial ends.
EVERY_SECONDS = 30.0
# How long a store that does not answer is left alone, and how often that is said.
AGAIN_SECONDS = 5.0
SAY_EVERY_SECONDS = 60.0
# How long a run that was told to stop waits for the last copy.
PATIENCE_SECONDS = 15.0

JOURNAL = StudyFolder(Path()).journal.name

Then = Callable[[], None]


class Mirror:
    """The copy of one study, which this driver owns."""

    def __init__(self, place: Place, owner: Owner) -> None:
        self.place, self.owner = place, owner
        self.lost: FolderLocked | None = None  # why this driver owns it no longer
        self._asked = deque[Then]()  # what waits for a copy that is not begun
        self._ready = deque[Then]()  # what may be told
        self._over = False
        self._changed = threading.Condition()
        self._written: dict[str, bytes] = {}  # by name, what the place has

    def bring(self, folder: StudyFolder) -> str:
        """Let a folder go on where the copy is, if there is one; words of it, empty if nothing was brought.

        Raises:
            UsageError: The folder has another study, or lacks trials that the copy has; or the place cannot be used.
            ResnextSearchError: The copy is damaged.
        """
        if not self._has_one():
            return ""
        with self._opened() as (content, journal):
            if folder.journal.exists():
                self._expect_same(folder, journal)
                return ""
        folder.path.mkdir(parents=True, exist_ok=True)
        for path in (folder.study, folder.plan, folder.images):
            with self.place.expected():
                text = self.place.read(path.name)
            if text is not None:
                write_whole(path, text)
        write_whole(folder.journal, content)  # last: with it the folder is a study's
        return f"{folder.path}: goes on with the copy in {self.place.uri}"

    def name(self) -> str:
        """Of the study that is copied; raises `UsageError` if there is none."""
        if not self._has_one():
            words = f"{self.place.named_by}: {self.place.uri} has no copy of a study"
            raise UsageError(words, hint="`resnext-search run STUDY.yaml --mirror URI` keeps one there.")
        with self._opened() as (_, journal):
            return journal.study().name

    def _has_one(self) -> bool:
        with self.place.expected():
            return self.place.has(JOURNAL)

    @contextmanager
    def _opened(self) -> Iterator[tuple[bytes, JournalReader]]:
        """The journal of the copy, as it is and to be read."""
        with self.place.expected():
            content = self.place.read(JOURNAL) or b""
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / JOURNAL
            path.write_bytes(content)
            with JournalReader(path) as journal:
                if problems := journal.damage():
                    raise ResnextSearchError(f"{self.place.uri}/{JOURNAL}: {'; '.join(problems)}")
                yield content, journal

    def _expect_same(self, folder: StudyFolder, copy: JournalReader) -> None:
        with JournalReader(folder.journal) as own:
            if own.birth() != copy.birth():
                raise UsageError(
                    f"{self.place.uri}: has another study than {folder.path}",
                    hint="Give another place, or another --out.",
                )
            lacks = sorted(set(_ends(copy.trials())) - set(_ends(own.trials())))
        if lacks:
            raise UsageError(
                f"{folder.path}: lacks {len(lacks)} of the trials that have ended in {self.place.uri}, such as trial "
                f"{lacks[0][0]}: the study went on elsewhere",
                hint=f"Go on from there: resnext-search resume {typed(self.place.uri)} --out ANOTHER_FOLDER",
            )

    @contextmanager
    def following(self, folder: StudyFolder, say: Callable[[str], None], stop: Then) -> Iterator[None]:
        """Keep the copy like the folder for the time of the block.

        Args:
            folder: Of the study.
            say: Is told, once a minute, that the place cannot be written.
            stop: Is called when another driver has taken over.

        Raises:
            UsageError: Not even a first copy can be written.
            FolderLocked: Another driver has taken over.
        """
        with self.place.expected():
            self._copy(folder)
        thread = threading.Thread(target=self._work, args=(folder, say, stop), name="mirror", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
            thread.join(PATIENCE_SECONDS)
        self._expect_owned()

    def when_kept(self, then: Then) -> None:
        """Call something when all that the journal knows is in the copy: by `tell`, in the thread that calls that."""
        with self._changed:
            self._asked.append(then)
            self._changed.notify_all()

    def tell(self) -> None:
        """Call what has waited for a copy that is there."""
        while True:
            with self._changed:
                if not self._ready:
                    return
                then = self._ready.popleft()
            then()

    def settle(self, is_stopped: Callable[[], bool], say: Callable[[str], None]) -> None:
        """Wait until the copy has everything, and tell it; not for long once the run is stopped.

        Raises:
            FolderLocked: Another driver has taken over.
        """
        done = threading.Event()
        self.when_kept(done.set)
        patience: float | None = None
        while not done.is_set():
            self._expect_owned()
            self.tell()
            with self._changed:
                self._changed.wait_for(lambda: bool(self._ready) or self.lost is not None, timeout=0.2)
            if is_stopped():
                patience = patience or time.monotonic() + PATIENCE_SECONDS
                if time.monotonic() >= patience:
                    say(f"{self.place.uri}: the copy there lacks the end of this run, which the next one brings")
                    return

    def _expect_owned(self) -> None:
        if self.lost is not None:
            raise self.lost

    def _work(self, folder: StudyFolder, say: Callable[[str], None], stop: Then) -> None:
        said_at: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._asked) or self._over, timeout=EVERY_SECONDS)
                taken, over = list(self._asked), self._over
                self._asked.clear()
            try:
                self._copy(folder)
            except FolderLocked as error:
                with self._changed:
                    self.lost = error
                    self._changed.notify_all()
                stop()
                return
            except Exception as error:
                if said_at is None or time.monotonic() - said_at >= SAY_EVERY_SECONDS:
                    said_at = time.monotonic()
                    say(f"{self.place.uri}: no copy can be written: {reason(error)}; training goes on, its end waits")
                with self._changed:
                    self._asked.extendleft(reversed(taken))
                    self._changed.wait_for(lambda: self._over, timeout=AGAIN_SECONDS)
            else:
                said_at = None
                with self._changed:
                    self._ready.extend(taken)
                    self._changed.notify_all()
            if over:
                return

    def _copy(self, folder: StudyFolder) -> None:
        """Write what is not as it was; raises as of `Owner.expect_ours`, or what stands in the way."""
        self.owner.expect_ours()
        contents = {
            path.name: path.read_bytes() for path in (folder.study, folder.plan, folder.images) if path.exists()
        }
        contents[folder.journal.name] = whole_copy(folder.journal)
        for name, content in contents.items():
            if self._written.get(name) != content:
                self.place.write(name, content)
                self._written[name] = content


@contextmanager
def mirrored(uri: str, say: Callable[[str], None], named_by: str = "--mirror") -> Iterator[Mirror]:
    """Own the copy at a URI for the time of the block; raises as `Place` and `Owner.take`."""
    place = Place(uri, named_by)
    owner = Owner(place)
    owner.take(say)
    try:
        yield Mirror(place, owner)
    finally:
        owner.release()


def _ends(trials: list[Trial]) -> Iterator[tuple[int, float | None]]:
    """Those whose end never changes; failed ones may be tried again."""
    return ((one.trial_id, one.ended_at) for one in trials if one.state in ("completed", "stopped"))
