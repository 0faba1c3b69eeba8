"""What does Tune keep of trials that have ended? All of them, for ever: here it is made to forget.

Of every trial Tune 2.60 keeps two queues for each number that it reported, and walks through all trials now and then.
What a study needs of them stands in the journal. Tune has no call for it, so this takes them out of its own lists.
"""

from __future__ import annotations

from typing import Any

# So many that have ended may come together before they are forgotten; the last few stay, for what Tune says at the end.
MOST_ENDED = 50
STAY = 5

LISTS = ("_live_trials", "_stopped_trials", "_failed_trials", "_trials_to_cache")


def forget_ended(controller: Any) -> None:
    """Take trials that have ended out of the lists of Tune's controller, once enough of them have come together."""
    ended = [trial for trial in controller._trials if trial.is_finished()]
    if len(ended) < MOST_ENDED:
        return
    forgotten = set(ended[:-STAY])
    for name in LISTS:
        getattr(controller, name).difference_update(forgotten)
    for trial in forgotten:
        controller._trial_metadata.pop(trial.trial_id, None)
    controller._trials[:] = [trial for trial in controller._trials if trial not in forgotten]
