"""Which places may be named by a URI? Object stores and folders that machines share; never with a password.

Imports nothing that could reach one.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from resnext_search.spaces.errors import shown

ALLOWED = "s3://bucket/path, gs://bucket/path or file:///folder"
# What a URI may say besides, by its scheme: where the store answers. Whoever asks it is said by the environment alone.
_OPTIONS = {
    "s3": {"endpoint_override", "region", "scheme"},
    "gs": {"endpoint_override", "scheme", "project_id", "retry_limit_seconds"},
    "file": set[str](),
}
_ENVIRONMENT = "Credentials come from the environment of every machine (AWS_PROFILE, a role, a service account)."
_LONGEST = 1000


class WrongUri(NamedTuple):
    """What is wrong with the URI of a place."""

    found: str
    allowed: str = ALLOWED
    fix: str = ""


def is_uri(text: str) -> bool:
    """Whether this is meant to be a URI.

    >>> is_uri("s3://bucket/studies"), is_uri("driver")
    (True, False)
    """
    return "://" in text


def uri_problem(uri: str) -> WrongUri | None:
    """What is wrong with the URI of a place; None if nothing is. A password is not repeated.

    >>> print(uri_problem("s3://me:secret@bucket/x").found)
    "s3://...@bucket/x", with credentials
    """
    try:
        parts = urlsplit(uri)
        options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))}
    except ValueError:
        return WrongUri("what is no URI")
    if "@" in parts.netloc:
        public = uri.replace(parts.netloc, f"...@{parts.netloc.rpartition('@')[2]}", 1)
        return WrongUri(f"{shown(public.partition('?')[0])}, with credentials", fix=_ENVIRONMENT)
    found = shown(uri.partition("?")[0])
    allowed = _OPTIONS.get(parts.scheme)
    if allowed is None or re.search(r"[\s\x00-\x1f#]", uri) or len(uri) > _LONGEST:
        return WrongUri(found)
    if ".." in parts.path.split("/") or bool(parts.netloc) == (parts.scheme == "file") or not parts.path.strip("/"):
        whole = {"file": "an absolute path, as in file:///folder"}.get(parts.scheme, "a bucket, and a path in it")
        return WrongUri(found, f"{parts.scheme}:// with {whole}")
    if unknown := sorted(options - allowed):
        known = ", ".join(sorted(allowed)) or "nothing"
        return WrongUri(f"{found} with {shown(unknown[0])}", f"after a question mark {known}", _ENVIRONMENT)
    return None
