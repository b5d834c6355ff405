"""Bugs planted on purpose: the world proves itself by finding each of them within 500 seeds.

In: a name. Out: the house with that bug in it, as long as a `with` lasts.
"""

from collections.abc import Mapping

from madang.world.bugs import of_control, of_node, of_store
from madang.world.bugs.bug import Bug

BUGS: Mapping[str, Bug] = {bug.name: bug for part in (of_store, of_control, of_node) for bug in part.BUGS}
