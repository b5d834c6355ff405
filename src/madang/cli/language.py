"""Which language a person reads: what `--lang` says, else what the locale says, else English."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from madang.cli.options import one_of
from madang.web.text import Language

LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")

Lang = Annotated[
    str, typer.Option("--lang", callback=one_of("--lang", "ko", "en"), help="ko or en; default: as the locale says.")
]


def language(given: str, environment: Mapping[str, str] = os.environ) -> Language:
    spoken = given or next((environment[key] for key in LOCALES if environment.get(key)), "")
    return "ko" if spoken.startswith("ko") else "en"
