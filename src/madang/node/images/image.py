"""What an image is: its names, how it wants to be run, and its layers as folders on this machine.

In: the two JSON documents of an image (manifest and configuration, OCI or docker) as dicts. Out: frozen values, or
ValueError that names the document and the field. Nothing here touches a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.node.images.reference import DIGEST

LAYERS = 512  # more than any builder makes, and fewer than a kernel refuses to stack with short names


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """HEALTHCHECK of a Dockerfile. `test` begins with CMD, CMD-SHELL or NONE; times are in nanoseconds, 0 is the
    default."""

    test: tuple[str, ...] = ()
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """How the image wants to be run: `entrypoint` and `cmd` are replaced by a container's `command` and `args`."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    workdir: str = ""
    stop_signal: str = ""
    exposed_ports: tuple[str, ...] = ()  # "8080/tcp"
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    healthcheck: Healthcheck | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an image's history; an `empty` one made no layer (ENV, CMD ...)."""

    created_by: str = ""
    comment: str = ""
    created: str = ""
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """`digest` names the blob as it travels (mostly compressed), `diff_id` its bytes unpacked; `size` is the blob's.
    `folder` is the unpacked tree, fit to be a lower layer of an overlay as it is (whiteouts and opaque folders are
    those of overlayfs)."""

    digest: str
    diff_id: str
    size: int
    folder: Path
    created_by: str = ""
    unpacked_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """`layers` begins with the lowest. `digest` is the manifest's, `id` the configuration's."""

    refs: tuple[str, ...]
    digest: str
    id: str
    config: ImageConfig
    layers: tuple[Layer, ...]
    platform: str = ""  # "linux/amd64"
    created: str = ""
    history: tuple[Step, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """What an overlay stands on, the highest first. A layer that comes twice is named once, where it is highest:
        there it hides all that it would do below, and the kernel refuses one folder in two places."""
        return tuple(dict.fromkeys(layer.folder for layer in reversed(self.layers)))

    @property
    def size(self) -> int:
        """The bytes of its layers on disk, unpacked."""
        return sum(layer.unpacked_bytes for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one document says of another: digest and size are held against what is really there."""

    digest: str
    size: int
    media_type: str = ""


def descriptor(value: Any, where: str) -> Descriptor:
    digest, size = (value.get("digest"), value.get("size")) if isinstance(value, dict) else (None, None)
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ValueError(f'{where}.digest: expected "sha256:" and 64 hexadecimal digits, found {digest!r}')
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"{where}.size: expected a whole number, found {size!r}")
    return Descriptor(digest, size, str(value.get("mediaType") or ""))


def manifest_parts(manifest: Any) -> tuple[Descriptor, tuple[Descriptor, ...]]:
    """(configuration, layers) of a manifest."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("layers"), list):
        raise ValueError("manifest.layers: expected a list")
    layers = manifest["layers"]
    if len(layers) > LAYERS:
        raise ValueError(f"manifest.layers: {len(layers)} layers, at most {LAYERS} are taken")
    return descriptor(manifest.get("config"), "manifest.config"), tuple(
        descriptor(layer, f"manifest.layers[{i}]") for i, layer in enumerate(layers)
    )


def diff_ids(config: Any) -> tuple[str, ...]:
    rootfs = config.get("rootfs") if isinstance(config, dict) else None
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if found is None:
        found = []
    if not isinstance(found, list) or not all(isinstance(d, str) and DIGEST.fullmatch(d) for d in found):
        raise ValueError("configuration.rootfs.diff_ids: expected a list of digests")
    return tuple(found)


def steps(config: Mapping[str, Any]) -> tuple[Step, ...]:
    found = config.get("history") or []
    if not isinstance(found, list):
        return ()
    return tuple(
        Step(_text(h, "created_by"), _text(h, "comment"), _text(h, "created"), h.get("empty_layer") is True)
        for h in found
        if isinstance(h, dict)
    )


def made_by(history: Sequence[Step], count: int) -> tuple[str, ...]:
    """For each of `count` layers the step that made it; empty strings where the history tells of another number."""
    makers = [s.created_by for s in history if not s.empty]
    return tuple(makers) if len(makers) == count else ("",) * count


def platform(config: Mapping[str, Any]) -> str:
    return "/".join(p for p in (_text(config, k) for k in ("os", "architecture", "variant")) if p)


def image_config(config: Mapping[str, Any]) -> ImageConfig:
    run = config.get("config") or {}
    if not isinstance(run, dict):
        raise ValueError(f"configuration.config: expected an object, found {type(run).__name__}")
    health = run.get("Healthcheck")
    return ImageConfig(
        entrypoint=_words(run, "Entrypoint"),
        cmd=_words(run, "Cmd"),
        env=tuple((k, v) for k, _, v in (e.partition("=") for e in _words(run, "Env"))),
        user=_text(run, "User"),
        workdir=_text(run, "WorkingDir"),
        stop_signal=_text(run, "StopSignal"),
        exposed_ports=tuple(sorted(_object(run, "ExposedPorts"))),
        volumes=tuple(sorted(_object(run, "Volumes"))),
        labels={str(k): str(v) for k, v in _object(run, "Labels").items()},
        healthcheck=_healthcheck(health) if isinstance(health, dict) else None,
    )


def _healthcheck(value: Mapping[str, Any]) -> Healthcheck:
    def number(key: str) -> int:
        found = value.get(key)
        return found if isinstance(found, int) else 0

    return Healthcheck(
        _words(value, "Test"), number("Interval"), number("Timeout"), number("StartPeriod"), number("StartInterval"),
        number("Retries"),
    )  # fmt: skip


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _words(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(w, str) for w in found):
        raise ValueError(f"configuration.config.{key}: expected a list of strings, found {found!r}")
    return tuple(found)


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"configuration.config.{key}: expected an object, found {found!r}")
    return found
