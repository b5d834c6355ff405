"""Images on the host runtime: programs of this machine, by reference.

In: a reference and its pull policy. Out: a `Program`, or the refusal that a kubelet gives when an image cannot be
had, whose message tells the ways out.
"""

from dataclasses import dataclass
from pathlib import Path

from madang.ports.program import HOST, Program, load


@dataclass(frozen=True, slots=True)
class NotHere:
    """`reason` is ErrImageNeverPull, ErrImagePull, ImagePullBackOff or InvalidImageName. With `retry_s` its events are
    out already, and this is when to try again."""

    reason: str
    message: str
    retry_s: float | None = None


class Images:
    """`home` is the courtyard's state folder; the answers follow its files, nothing is kept in memory."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def resolve(self, reference: str, policy: str) -> Program | NotHere:
        if reference == HOST:
            return Program(HOST, Path("/"))
        if not reference or reference != reference.strip():
            return NotHere("InvalidImageName", f'Failed to apply default image tag "{reference}": not a reference')
        try:
            found = load(self._home, reference)
        except (ValueError, OSError) as e:
            return NotHere("ErrImagePull", str(e))
        if found is not None:
            return found
        if policy == "Never":
            message = f'Container image "{reference}" is not present with pull policy of Never'
            return NotHere("ErrImageNeverPull", message)
        return NotHere("ErrImagePull", ways_out(reference))


def ways_out(reference: str) -> str:
    return (
        f'image "{reference}" is not known here and the host runtime pulls nothing: give the service a build: folder, '
        f"install the server that it holds on this machine, or use the image {HOST} with a command of this machine"
    )


def present(reference: str) -> str:
    """The text of the event `Pulled`."""
    return f'Container image "{reference}" already present on machine and can be accessed by the pod'


def pull_events(reference: str, refusal: NotHere, tries: int) -> list[tuple[str, str, str]]:
    """(type, reason, message) of each event that goes with a refusal."""
    if refusal.reason == "ErrImageNeverPull":
        return [
            ("Warning", "ErrImageNeverPull", refusal.message),
            ("Warning", "Failed", "Error: ErrImageNeverPull"),
        ]
    if refusal.reason == "InvalidImageName":
        return [("Warning", "InspectFailed", refusal.message), ("Warning", "Failed", "Error: InvalidImageName")]
    if tries > 1:
        return [
            ("Normal", "BackOff", f'Back-off pulling image "{reference}"'),
            ("Warning", "Failed", "Error: ImagePullBackOff"),
        ]
    return [
        ("Normal", "Pulling", f'Pulling image "{reference}"'),
        ("Warning", "Failed", f'Failed to pull image "{reference}": {refusal.message}'),
        ("Warning", "Failed", "Error: ErrImagePull"),
    ]


def waiting(reference: str, refusal: NotHere, tries: int) -> tuple[str, str]:
    """(reason, message) of the waiting container."""
    if refusal.reason == "ErrImagePull" and tries > 1:
        return "ImagePullBackOff", f'Back-off pulling image "{reference}": ErrImagePull: {refusal.message}'
    return refusal.reason, refusal.message
