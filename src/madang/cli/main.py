"""The `madang` command: one Typer application, one module a command, errors turned into one line and an exit code."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperCommand

from madang.cli import (
    architecture,
    backup,
    build,
    dashboard,
    down,
    execute,
    harm,
    kubeconfig,
    kubectl,
    logs,
    restart,
    restore,
    run,
    scale,
    start,
    status,
    stop,
    tour,
    up,
)
from madang.cli.images.app import app as images
from madang.cli.refusal import Refusal

app = typer.Typer(
    name="madang",
    help="A whole microservice architecture on one machine: bring a Compose file or Kubernetes manifests, type "
    "`madang up`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


class WithCommand(TyperCommand):
    """Its usage line names the command that stands behind the service."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "COMMAND..."]


app.command("up")(up.up)
app.command("down")(down.down)
app.command("status")(status.status)
app.command("scale")(scale.scale)
app.command("restart")(restart.restart)
app.command("stop")(stop.stop)
app.command("start")(start.start)
app.command("exec", cls=WithCommand, context_settings=PASS_ON)(execute.execute)
app.command("run", cls=WithCommand, context_settings=PASS_ON)(run.run)
app.command("break")(harm.harm)
app.command("dashboard")(dashboard.dashboard)
app.command("logs")(logs.logs)
app.command("build")(build.build)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("architecture")(architecture.architecture)
app.command("tour")(tour.tour)
app.add_typer(images)
app.command("kubeconfig")(kubeconfig.kubeconfig)
app.command("kubectl", context_settings={**PASS_ON, "help_option_names": []})(kubectl.kubectl)


def version(show: bool) -> None:
    if show:
        from madang import __version__

        typer.echo(f"madang {__version__}")
        raise typer.Exit


@app.callback()
def options(
    show_version: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version."),
) -> None:
    """The example to begin with: `madang up examples/shop`."""


def main() -> None:
    from madang.cli.screen import refuse

    try:
        app()
    except Refusal as refusal:
        refuse(refusal.message)
        sys.exit(refusal.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `madang logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        from madang.cli.unforeseen import explain

        refuse(explain(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
