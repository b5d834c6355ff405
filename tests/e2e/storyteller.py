"""Tells the corpus' stories to a courtyard, many at once, with the corpus' own recorder (a process of its own).

usage: storyteller.py RECORDER FOLDER SERVER TOKEN IMAGE [STORY ...]

Leaves one recording a story in FOLDER, and `absent.json`: the stories about kinds that aren't here. What differs from
the recorder as it stands: a kind that isn't here is an empty list; who restarts sooner is looked at for less time.
"""

import importlib.util
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

AT_ONCE = 12
# Long enough for as many restarts as the recording has, and too short for the next.
SECONDS = {"crash-loop": 12.0, "liveness-kills": 9.0, "job-fails": 14.0}
# The recorded image has no /tmp; what runs here has one.
MISSING = {"service-endpoints": ("/tmp", "/no-tmp")}


def main(recorder: str, folder: str, server: str, token: str, image: str, *names: str) -> None:
    record = loaded(recorder, server, token, image)
    record.HERE = folder
    listed = record.call
    record.call = lambda *words: lenient(listed(*words))
    absent = []
    lanes, running = threading.Semaphore(AT_ONCE), []
    for name in sorted(names or record.STORIES, key=lambda n: -seconds(record, n)):
        objects, acts, _ = record.STORIES[name]
        if any(listed("GET", record.path_of(o, "default", False))[0] == 404 for o in objects):
            absent.append(name)
            continue
        if name in MISSING:
            objects = json.loads(json.dumps(objects).replace(*MISSING[name]))
        thread = threading.Thread(target=tell, args=(record, lanes, name, objects, acts), daemon=True)
        thread.start()
        running.append(thread)
        time.sleep(0.1)
    for thread in running:
        thread.join()
    Path(folder, "absent.json").write_text(json.dumps(absent))


def tell(record: Any, lanes: threading.Semaphore, name: str, objects: Any, acts: Any) -> None:
    with lanes:
        record.tell(name, objects, acts, seconds(record, name))
    if name in MISSING:
        path = Path(record.HERE, f"{name}.json")
        path.write_text(path.read_text().replace(*MISSING[name][::-1]))


def seconds(record: Any, name: str) -> float:
    return float(SECONDS.get(name, record.STORIES[name][2]))


def lenient(answer: tuple[int, Any]) -> tuple[int, Any]:
    """A list of a kind that isn't here is refused in words."""
    status, body = answer
    return (status, {}) if status == 404 and not isinstance(body, dict) else answer


def loaded(*words: str) -> Any:
    """The recorder reads its command line as it is loaded."""
    sys.argv = [*words]
    spec = importlib.util.spec_from_file_location("recorder", words[0])
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
