"""A folder in an object store, or on a disk that machines share: files by name, each written whole.

Everything raises `OSError` where the place cannot be reached, or may not be used. pyarrow, which knows the stores and
finds credentials in the environment, is imported when there is a place to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from resnext_search.spaces.errors import UsageError, escaped
from resnext_search.spaces.uris import uri_problem
from resnext_search.spaces.whole_file import write_whole

_RETRY_SECONDS = 30
# Characters of what a store says that a message shows.
_LONGEST_REASON = 300


class Place:
    """The folder at a URI, as of `uri_problem`.

    Args:
        uri: An object store's path, or an absolute path of files.
        named_by: The key or option that says so, for messages.

    Raises:
        UsageError: It is no such URI, or names a folder of this machine that does not exist.
    """

    def __init__(self, uri: str, named_by: str) -> None:
        if problem := uri_problem(uri):
            raise UsageError(f"{named_by}: found {problem.found}; allowed: {problem.allowed}", hint=problem.fix)
        self.uri, self.named_by = uri, named_by
        self._files, self._root = _opened(uri, named_by)
        self._folder = Path(self._root) if uri.startswith("file:") else None
        if self._folder is not None and not self._folder.is_dir():
            raise UsageError(
                f"{named_by}: found {uri}, and there is no folder {self._folder} on this machine",
                hint="Make it on the disk that the machines share, or name one that is there.",
            )

    def read(self, name: str) -> bytes | None:
        """What a file has; None if there is none."""
        with _plain_errors():
            try:
                with self._files.open_input_stream(f"{self._root}/{name}") as file:
                    return bytes(file.read())
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Replace a file at once: nobody ever reads half of one."""
        if self._folder is not None:
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            write_whole(path, content)
            return
        with _plain_errors(), self._files.open_output_stream(f"{self._root}/{name}") as file:
            file.write(content)  # an object is there when it is closed

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        with _plain_errors():
            return bool(self._files.get_file_info(f"{self._root}/{name}").is_file)

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""
        with _plain_errors(), suppress(FileNotFoundError):
            self._files.delete_file(f"{self._root}/{name}")

    def delete_below(self, name: str) -> None:
        """Delete a folder in this one with all that is in it, if it is there."""
        with _plain_errors(), suppress(FileNotFoundError):
            self._files.delete_dir(f"{self._root}/{name}")

    @contextmanager
    def expected(self) -> Iterator[None]:
        """Say in words that the place cannot be used; for what the block does there before anything is trained.

        Raises:
            UsageError: The block raised an `OSError`.
        """
        try:
            yield
        except OSError as error:
            raise UsageError(
                f"{self.named_by}: {self.uri} cannot be used: {reason(error)}",
                hint="Does it exist, and may this machine write there? Credentials come from the environment.",
            ) from error


def reason(error: BaseException) -> str:
    """What a store says, in a line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return escaped(words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]}...")


def _opened(uri: str, named_by: str) -> tuple[Any, str]:
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem

    named = uri.partition("?")[0]
    # Google's client would go on trying for a quarter of an hour; a small object is one request, not three
    for scheme, option in (("gs:", f"retry_limit_seconds={_RETRY_SECONDS}"), ("s3:", "allow_delayed_open=true")):
        if uri.startswith(scheme) and option.partition("=")[0] not in uri:
            uri += f"{'&' if '?' in uri else '?'}{option}"
    try:
        files, root = FileSystem.from_uri(uri)
    except (ArrowException, OSError) as error:
        raise UsageError(f"{named_by}: {named} cannot be used: {reason(error)}") from error
    return files, root.rstrip("/")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Arrow has errors that are no `OSError`, such as that of a store that answers nonsense."""
    from pyarrow import ArrowException

    try:
        yield
    except OSError:
        raise
    except ArrowException as error:
        raise OSError(str(error)) from error
