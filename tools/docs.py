"""Makes the generated documents under docs/ (`./dev docs`): `compatibility.md` from the kind table and the list of
what differs from recorded conversations, `compose.md` from the tables of Compose keys and known images.

In: the package. Out: files; a test compares them with what this makes.
"""

import sys
import tomllib
from pathlib import Path

from madang.app.compose.reference import markdown as compose
from madang.kinds.absent import markdown as absent
from madang.kinds.compatibility import ignored_markdown, markdown
from madang.web.text import Language

sys.path.insert(0, str(Path(__file__).parent))  # it is run as a file
from picture import svg

DOCS = Path(__file__).parent.parent / "docs"
TARGET = DOCS / "compatibility.md"
CONVERSATIONS = DOCS / "conversations.toml"
HEAD = """# What Madang speaks of the Kubernetes API

Made by `./dev docs` from the kind table; don't edit it by hand.

The yardstick is Kubernetes v1.36. What is listed here answers as a real API server does: verbs, defaults, validation,
field ownership, tables, watches, errors word for word. What isn't listed answers with the API's own refusal (404), and
discovery doesn't name it.
"""
ABSENT = """
## What isn't here yet

"""
FIELDS = """
## Fields that are stored without effect

They are taken, kept and given back, since manifests carry them; each write that sets one answers with a `Warning` that
names it. Of workloads the same holds for the pod template.

"""
DIFFERENCES = """
## Known differences

| where | what | why |
|---|---|---|
| authorization | every authenticated user may do everything; reviews say so | a courtyard belongs to its user |
| Services, loopback network | annotation `madang.dev/ports` | each Service port has a number of its own there |
| ExternalName | names of Services are followed, others warned of and told by an event | hosts files would go stale |
| Node | Unknown after 5 s, not 50; registers again when deleted | its agent is asked once a second, by no Lease |
| HorizontalPodAutoscaler | CPU counts 3 s after ready, also after a restart | its window is two seconds, not fifteen |
| `kubectl explain` | names, types and structure, no descriptions | the descriptions aren't shipped |
| a quantity given as the JSON number `1e9` | comes back as `1G`, not as `1e9` | its spelling isn't kept |
| admission | no LimitRange, ResourceQuota, webhooks, admission policies | those kinds aren't here yet |
"""
RECORDED = """
## Recorded conversations

381 requests and their answers, recorded from an API server of v1.36, are played against a courtyard by a test. Every
answer is the same, but for these (`docs/conversations.toml`):

"""


def compatibility() -> str:
    kinds = HEAD + "\n## Kinds\n\n" + markdown() + ABSENT + absent() + FIELDS + ignored_markdown()
    return kinds + DIFFERENCES + RECORDED + recorded_markdown()


def recorded_markdown() -> str:
    """One line a reason: how many answers, which steps of which recording."""
    rows = ["| why | answers | steps |", "|---|---|---|"]
    for found in tomllib.loads(CONVERSATIONS.read_text())["differences"]:
        steps = "; ".join(found["steps"])
        when = (
            " (by timing)" if found.get("sometimes") else f" ({found['network']} network)" if "network" in found else ""
        )
        rows.append(f"| {found['why']}{when} | {len(found['steps'])} | {steps} |")
    return "\n".join(rows) + "\n"


def drawings() -> dict[Path, str]:
    """The picture of the outer architecture in each language."""
    names: dict[str, Language] = {"architecture.svg": "en", "architecture.ko.svg": "ko"}
    return {DOCS / "images" / name: svg(language) for name, language in names.items()}


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(compatibility())
    TARGET.with_name("compose.md").write_text(compose())
    for path, text in drawings().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    print(TARGET.parent)
