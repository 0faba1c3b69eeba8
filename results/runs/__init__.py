"""Anyone's table of runs: how it is read, what is refused of it, and what its reader has to know."""
