"""`madang dashboard`: a fresh link that opens the dashboard once, printed or opened in the browser.

The link is signed with the key in the courtyard's home, so nobody has to be asked: who can read it may come in.
"""

import time
from typing import Annotated

import typer

from madang.cli.courtyards import Courtyard, running
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, print_json, say, warn


def dashboard(
    name: Name = DEFAULT,
    show: Annotated[bool, typer.Option("--open", help="Open it in this machine's browser.")] = False,
    output: Output = "",
) -> None:
    """Print a link to the dashboard. It works once, for a quarter of an hour; then the browser is known.

    Example: `madang dashboard --open`
    """
    court = running(name)
    way = fresh_link(court)
    if not way:
        raise Refusal(f"the courtyard {name!r} runs without a dashboard: it was started by an older Madang")
    if output == AS_JSON:
        print_json({"dashboard": court.record["addresses"]["dashboard"], "link": way})
        return
    if show:
        import webbrowser

        if webbrowser.open(way):
            say(f"opened in the browser: {court.record['addresses']['dashboard']}")
            return
        warn("no browser could be opened here; open the link yourself")
    typer.echo(way)


def fresh_link(court: Courtyard) -> str:
    """Empty where the courtyard has no dashboard."""
    from madang.web.keys import link

    base = court.record.get("addresses", {}).get("dashboard", "")
    return link(court.home, base, time.time()) if base else ""
