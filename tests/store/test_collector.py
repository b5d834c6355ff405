"""The collector's settings, put back afterwards."""

import gc

from madang.store.collector import FULL_EVERY, MIDDLE_EVERY, YOUNG_OBJECTS, tune_collector


def test_what_lives_is_set_aside() -> None:
    before = gc.get_threshold()
    try:
        tune_collector()
        assert gc.get_threshold() == (YOUNG_OBJECTS, MIDDLE_EVERY, FULL_EVERY)
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
