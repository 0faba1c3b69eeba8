"""`python -m resnext_search.search` is the command line."""

import sys

from resnext_search.search.cli import main

sys.exit(main())
