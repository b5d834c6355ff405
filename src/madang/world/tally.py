"""Counts what struck and what was asked: a fault that never strikes proves nothing.

In: words, as things happen. Out: a `Counter`, and lines to print; `FAULTS` are those that none may be zero of.
"""

from collections import Counter
from collections.abc import Mapping

FAULTS: Mapping[str, str] = {
    "kill": "the control process was killed between two steps",
    "kill in fsync: lost": "killed while the disk wrote: nothing of the batch is there",
    "kill in fsync: torn": "killed while the disk wrote: a part of the batch is there",
    "kill in fsync: whole": "killed while the disk wrote: the batch is there, nobody was told",
    "leave": "the control process ended in order and started again",
    "disk full": "a commit failed",
    "disk slow": "a commit took long",
    "watch cut": "all watches were cut off",
    "window passed": "a watch was told that its revision is too old",
    "clock forward": "the wall clock jumped forward",
    "clock back": "the wall clock jumped back",
    "program crashes": "a program ended by itself",
    "program killed for memory": "a program was killed by the machine",
    "program hangs": "a program answered neither probes nor its stop signal",
    "program lies": "a program failed its probes for a while, though well",
    "program cannot start": "a program could not be started",
    "machine refuses": "the machine could not even try to start a program",
    "no address": "the network gave a pod no address",
    "node cordoned": "a node was closed for new pods",
    "node vanishes": "a Node was deleted",
    "node hangs": "a node's agent did nothing any more, and its programs went on",
    "node killed": "a node's agent and all its programs were gone",
    "broken node deleted": "a broken node was taken out of the list",
    "pod deleted": "somebody deleted a pod",
    "pod deleted at once": "somebody deleted a pod without grace",
}


def table(counts: Counter[str]) -> list[str]:
    width = max(map(len, FAULTS))
    return [f"  {name:<{width}}  {counts[name]:>7}  {text}" for name, text in FAULTS.items()]


def missing(counts: Counter[str]) -> list[str]:
    return [name for name in FAULTS if not counts[name]]
