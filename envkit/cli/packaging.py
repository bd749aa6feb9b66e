"""Commands about packages: one call of the library each."""

from __future__ import annotations

from argparse import Namespace

from . import output, progress

FORMATS = ("requirements.txt", "pylock.toml", "environment.yml", "explicit.txt", "spec.json")


def install(options: Namespace) -> int:
    """Install packages."""
    from ..packages import install as call  # noqa: PLC0415 - each command imports what it needs

    changes = call(
        options.env,
        *options.packages,
        conda=options.conda,
        channels=options.channel,
        dependencies=not options.no_deps,
        break_system_packages=options.break_system_packages,
        dry_run=options.dry_run,
        **progress.control(options),
    )
    return output.give(options, changes, lambda: output.changes(changes))


def uninstall(options: Namespace) -> int:
    """Uninstall packages."""
    from ..packages import uninstall as call  # noqa: PLC0415 - each command imports what it needs

    changes = call(options.env, *options.packages, dry_run=options.dry_run, **progress.control(options))
    return output.give(options, changes, lambda: output.changes(changes))


def packages(options: Namespace) -> int:
    """List the packages of an environment, with `--size` how much room each takes, with `--tree` by who needs whom."""
    if options.size or options.tree:
        from . import dependencies  # noqa: PLC0415 - only for these options

        return dependencies.tree(options) if options.tree else dependencies.sizes(options)
    from ..packages import installed as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.env)
    return output.give(options, found, lambda: output.packages(found))


def tree(options: Namespace) -> int:
    """Show the packages of an environment by who needs whom."""
    from . import dependencies  # noqa: PLC0415 - each command imports what it needs

    return dependencies.tree(options)


def why(options: Namespace) -> int:
    """Say why a package is there."""
    from . import dependencies  # noqa: PLC0415 - each command imports what it needs

    return dependencies.why(options)


def outdated(options: Namespace) -> int:
    """List what has a newer version."""
    from ..upgrading import outdated as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.env, **progress.control(options))
    return output.give(options, found, lambda: output.outdated(found))


def upgrade(options: Namespace) -> int:
    """Upgrade packages."""
    from ..upgrading import upgrade as call  # noqa: PLC0415 - each command imports what it needs

    changes = call(options.env, *options.packages, constraints=options.constraint, dry_run=options.dry_run, **progress.control(options))
    return output.give(options, changes, lambda: output.changes(changes))


def check(options: Namespace) -> int:
    """Say what is wrong with an environment; 1 when something is that makes it unusable or wrong."""
    from ..checking import check as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.env, deep=options.deep, **progress.control(options))
    output.give(options, found, lambda: output.problems(found))
    return 1 if any(problem.severity == "error" for problem in found) else 0


def export(options: Namespace) -> int:
    """Print what an environment holds; with `--json` the text as one string of JSON."""
    import json  # noqa: PLC0415 - each command imports what it needs

    from ..control import Work  # noqa: PLC0415 - as above
    from ..environments import resolved  # noqa: PLC0415 - as above
    from ..locking import exporting  # noqa: PLC0415 - as above

    work = Work()
    environment = resolved(options.env, work)
    wanted: exporting.Format = options.format or ("environment.yml" if environment.kind == "conda" else "requirements.txt")
    text = exporting.exported(environment, wanted, work, from_history=options.from_history)
    output.write(json.dumps(text) if options.json else text.rstrip("\n"))
    return 0
