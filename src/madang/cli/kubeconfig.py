"""`madang kubeconfig`: where the key to the courtyard lies, or what it says, or into the user's own with it."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from madang.cli.courtyards import running
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, say


def kubeconfig(
    name: Name = DEFAULT,
    raw: Annotated[bool, typer.Option("--raw", help="Print the content instead of the path.")] = False,
    merge: Annotated[bool, typer.Option("--merge", help="Add a context of its own to your kubeconfig.")] = False,
    output: Output = "",
) -> None:
    """Print the path of the kubeconfig; with `--raw` its content; with `--merge` put it into your own.

    Example: `export KUBECONFIG=$(madang kubeconfig)`
    """
    if output and (raw or merge):
        raise Refusal("--output json tells where the kubeconfig is: it goes with neither --raw nor --merge", code=2)
    court = running(name)
    if output == AS_JSON:
        print(json.dumps(described(court.kubeconfig), indent=2))
    elif raw:
        sys.stdout.write(court.kubeconfig.read_text())
    elif merge:
        target = own_kubeconfig()
        context = merge_into(court.kubeconfig, target)
        say(f"{target} has the context {context}; use it with `kubectl --context {context} get pods`")
    else:
        print(court.kubeconfig)


def described(path: Path) -> dict[str, str]:
    """Where it is, and where it leads by itself: the current context's namespace and server."""
    import yaml

    from madang.wire.kubeconfig import current_namespace

    said: dict[str, Any] = yaml.safe_load(path.read_text())
    context = next(c["context"] for c in said["contexts"] if c["name"] == said["current-context"])
    server = next(c["cluster"]["server"] for c in said["clusters"] if c["name"] == context["cluster"])
    return {"kubeconfig": str(path), "namespace": current_namespace(path), "server": server}


def own_kubeconfig() -> Path:
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def merge_into(source: Path, target: Path) -> str:
    """Replaces our cluster, user and context there and touches nothing else; the current context stays. A link stays
    a link: what it leads to is written."""
    import yaml

    target = target.resolve()
    ours: dict[str, Any] = yaml.safe_load(source.read_text())
    theirs: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    if target.exists():
        try:
            theirs = yaml.safe_load(target.read_text()) or theirs
        except yaml.YAMLError as error:
            raise Refusal(f"{target} is not YAML and is left as it is: {error}") from error
        if not isinstance(theirs, dict):
            raise Refusal(f"{target} is not a kubeconfig and is left as it is: it holds no map")
    for part in ("clusters", "users", "contexts"):
        names = {entry["name"] for entry in ours[part]}
        theirs[part] = [e for e in theirs.get(part) or [] if e["name"] not in names] + ours[part]
    theirs.setdefault("current-context", ours["current-context"])
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = target.with_name(f".{target.name}.madang-{os.getpid()}")
    aside.touch(mode=0o600)
    aside.write_text(yaml.safe_dump(theirs, sort_keys=False))
    aside.replace(target)
    return str(ours["current-context"])
