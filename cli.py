"""`eventos ...`: puts the commands together; each lives in its own module of `commands`."""

import os
import sys

import typer

from commands import (
    api_key,
    approve,
    control,
    create,
    demo,
    dev,
    doctor,
    listing,
    messages,
    migrate,
    plan,
    publish,
    register,
    rehearse,
    seed,
    show,
    webhooks,
)

app = typer.Typer(
    name="eventos",
    help="Marketing, outreach and follow-up for events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command("dev")(dev.dev)
app.command("doctor")(doctor.doctor)
app.command("migrate")(migrate.migrate)
app.command("seed")(seed.seed)
app.command("demo")(demo.demo)
app.add_typer(api_key.app, name="api-key")
app.command("publish")(publish.publish)
app.command("register")(register.register)
app.command("rehearse")(rehearse.rehearse)
app.command("plan")(plan.plan)
app.command("list")(listing.list_)
app.command("show")(show.show)
app.command("messages")(messages.messages)
app.command("pause")(control.pause)
app.command("resume")(control.resume)
app.command("cancel")(control.cancel)
app.command("retry")(control.retry)
app.command("skip")(control.skip)
app.command("approve")(approve.approve)
app.command("reject")(approve.reject)
app.command("create")(create.create)
app.command("modify")(control.modify)
app.add_typer(webhooks.app, name="webhooks")


def main() -> None:
    """Run the command line and leave with the command's own status."""
    status = 1
    try:
        app()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 - shown as the interpreter would, but we choose the exit
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native runtime may abort the process while the interpreter is torn down; all of ours is closed by now.
    os._exit(status)


if __name__ == "__main__":
    main()
