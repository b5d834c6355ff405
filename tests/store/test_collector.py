"""The collector's settings, put back afterwards."""

import gc

from madang.store.collector import (
    FIRST_FREEZE_OBJECTS,
    FULL_EVERY,
    MIDDLE_EVERY,
    YOUNG_OBJECTS,
    YOUNG_WRITES,
    collector_pace,
    tune_collector,
)


def test_what_lives_is_set_aside() -> None:
    before = gc.get_threshold()
    try:
        tune_collector()
        assert gc.get_threshold() == (YOUNG_OBJECTS, MIDDLE_EVERY, FULL_EVERY)
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_a_store_that_doubles_is_set_aside() -> None:
    try:
        committed = collector_pace()
        gc.unfreeze()
        committed(FIRST_FREEZE_OBJECTS - 1, 1)
        assert gc.get_freeze_count() == 0
        committed(FIRST_FREEZE_OBJECTS, 1)
        assert gc.get_freeze_count() > 1000
        gc.unfreeze()
        committed(FIRST_FREEZE_OBJECTS * 2 - 1, 1)
        assert gc.get_freeze_count() == 0
        committed(FIRST_FREEZE_OBJECTS * 5, 1)
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()


def test_young_objects_are_collected_by_the_count_of_writes() -> None:
    committed, collections = collector_pace(), []

    def listen(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            collections.append(info["generation"])

    gc.disable()
    gc.callbacks.append(listen)
    try:
        for _ in range(2 * YOUNG_WRITES // 32 + 1):
            committed(10, 32)
    finally:
        gc.callbacks.remove(listen)
        gc.enable()
    assert collections in ([0], [0, 0])
