"""Who may send mail as somebody else, so that nobody can tell (manual, chapter 8.3.5).

`--add-sendas john -u helpdesk` lets john send as helpdesk, and `--details helpdesk` then shows `Send-as: john`.
"""

from admin.context import Installation
from admin.naming import shown
from admin.options import Options
from admin.output import print_json, print_table, say


def add(installation: Installation, options: Options) -> None:
    """Let a delegate send as the user of -u."""
    user, delegate = (installation.user(str(n)) for n in (options.user, options.add_sendas))
    with installation.database.write() as connection:
        installation.editor.add_send_as(connection, user.external_id, delegate.external_id)
    say(f"{shown(delegate)} may send as {shown(user)} now.")


def remove(installation: Installation, options: Options) -> None:
    """Take that from a delegate again."""
    user, delegate = (installation.user(str(n)) for n in (options.user, options.remove_sendas))
    with installation.database.write() as connection:
        installation.editor.remove_send_as(connection, user.external_id, delegate.external_id)
    say(f"{shown(delegate)} may not send as {shown(user)} any more.")


def list_all(installation: Installation, options: Options) -> None:
    """Print who may send as a user, by name."""
    delegates = installation.users.senders_as(installation.user(str(options.list_sendas)))
    if options.json:
        print_json(
            [
                {"name": one.name, "fullname": one.fullname, "company": one.company}
                for one in delegates
            ]
        )
    else:
        rows = [(shown(one), one.fullname) for one in delegates]
        print_table(("Name", "Full name"), rows)
