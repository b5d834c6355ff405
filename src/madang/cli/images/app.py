"""The group of commands `madang image`."""

import typer

from madang.cli.images import listing, loading, registry, removing, saving

app = typer.Typer(
    name="image",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The container images that this courtyard keeps: load, save, pull, push, look at, remove.\n\n"
    "Example: `madang image load redis.tar`, then `madang image ls`",
)
app.command("load")(loading.load)
app.command("save")(saving.save)
app.command("pull")(registry.pull)
app.command("push")(registry.push)
app.command("ls")(listing.ls)
app.command("inspect")(listing.inspect)
app.command("history")(listing.history)
app.command("tag")(loading.tag)
app.command("rm")(removing.rm)
app.command("prune")(removing.prune)
