"""The API's three patches: JSON Patch, JSON merge patch, strategic merge patch.

In: an object (never changed) and a decoded patch. Out: a new object, which shares what the patch left alone.
Faults are `StatusError` in the API's words. Server-side apply is field ownership and lives in `kinds.managed`.
"""

from madang.kinds.patches.json_patch import apply_json
from madang.kinds.patches.merge_patch import apply_merge
from madang.kinds.patches.strategic import apply_strategic

__all__ = ["apply_json", "apply_merge", "apply_strategic"]
