import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands and options.

    bash: add `eval "$(docstore completion bash)"` to ~/.bashrc; zsh and fish likewise.
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows the three shells"
    click.echo(found(context.find_root().command, {}, "docstore", "_DOCSTORE_COMPLETE").source())
