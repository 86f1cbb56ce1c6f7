"""``invcore completion``: the script that makes the shell complete names."""

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell's completion script.

    For instance: eval "$(invcore completion bash)"
    """
    from click.shell_completion import get_completion_class

    from invcore.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "invcore", "_INVCORE_COMPLETE").source())
