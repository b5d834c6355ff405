"""What outlives pods: claims, the volumes that they are bound to, and the classes that say how a volume is made."""

from madang.kinds import strategies
from madang.kinds.columns import storage as printed
from madang.kinds.defaults import storage
from madang.kinds.kind import Kind
from madang.kinds.rows.core import STATUS

PERSISTENT_VOLUME = Kind(
    group="", version="v1", kind="PersistentVolume", plural="persistentvolumes", namespaced=False,
    singular="persistentvolume", short=("pv",), subresources=(STATUS,),
    default=storage.volume, prepare_create=strategies.volume_create, prepare_update=strategies.keep_status,
    prepare_status=strategies.volume_status,
    columns=printed.PERSISTENT_VOLUME,
)  # fmt: skip
PERSISTENT_VOLUME_CLAIM = Kind(
    group="", version="v1", kind="PersistentVolumeClaim", plural="persistentvolumeclaims",
    singular="persistentvolumeclaim", short=("pvc",), subresources=(STATUS,),
    default=storage.claim, prepare_create=strategies.claim_create, prepare_update=strategies.keep_status,
    prepare_status=strategies.keep_spec,
    columns=printed.PERSISTENT_VOLUME_CLAIM,
)  # fmt: skip
STORAGE_CLASS = Kind(
    group="storage.k8s.io", version="v1", kind="StorageClass", plural="storageclasses", namespaced=False,
    singular="storageclass", short=("sc",),
    default=storage.storage_class, prepare_create=strategies.no_generation, prepare_update=strategies.plain_update,
    columns=printed.STORAGE_CLASS,
)  # fmt: skip

ROWS = (PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS)
