"""Help that fits a screen: a command's own options, then the commonest of each group."""

from __future__ import annotations

import click

from orchestrator.cli.option import EVERYTHING
from orchestrator.model.setting import Group

_TERM_WIDTH = 30  # a longer term has a line of its own


def _show_everything(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[EVERYTHING] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP_ALL = click.Option(
    ["--help-all"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_everything,
    help="Show every option, with its environment variable.",
)


class Command(click.Command):
    """A command whose help lists its options by group; ``--help-all`` shows all of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments; those that may be an external id are not quoted in an error."""
        names = {parameter.name for parameter in self.params}
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if "new" not in names:
                raise
            meant = f" Did you mean {' or '.join(near)}?" if (near := error.possibilities) else ""
            text = f"No such option.{meant} An external id that begins with - comes after --."
            raise click.UsageError(text, ctx) from None
        except click.UsageError as error:
            if names.isdisjoint({"new", "external_id"}) or "extra argument" not in error.message:
                raise
            text = (
                "Got unexpected extra arguments, which are not shown: an external id has no space."
            )
            raise click.UsageError(text, ctx) from None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Add ``--help-all`` to the parameters, beside ``--help``."""
        return [*super().get_params(ctx), _HELP_ALL]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of options, the command's own first."""
        sections = {
            title: rows
            for group in (None, *Group)
            if (rows := self._rows(ctx, group))
            for title in (group.value if group else "Options",)
        }
        terms = [len(term) for rows in sections.values() for term, _ in rows]
        width = max((n for n in terms if n <= _TERM_WIDTH), default=0)
        for title, rows in sections.items():
            with formatter.section(title):
                aligned = [(term.ljust(width), text) for term, text in rows]
                formatter.write_dl(aligned, col_max=width)

    def _rows(self, ctx: click.Context, group: Group | None) -> list[tuple[str, str]]:
        options = [
            parameter
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option) and getattr(parameter, "group", None) is group
        ]
        shown = [o for o in options if EVERYTHING in ctx.meta or getattr(o, "common", True)]
        rows = [record for option in shown if (record := option.get_help_record(ctx))]
        if hidden := len(options) - len(shown):
            rows.append(("...", f"{hidden}{' more' if shown else ''}: see --help-all"))
        return rows


class CommandGroup(click.Group, Command):
    """A group of such commands."""

    command_class = Command
    group_class = type  # groups inside are of the same kind
