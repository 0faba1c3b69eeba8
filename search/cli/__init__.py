"""The command line."""

from resnext_search.search.cli.main import main

__all__ = ["main"]
