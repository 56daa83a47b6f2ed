"""kopano-admin: users, groups, companies, stores, bookings, jobs (manual, chapter 8.1 to 8.3, 8.7, 8.8).

One action per call, in one transaction.  Everything that needs the database is loaded after the
command line has been read, so that --help and mistakes answer at once.
"""

import os
from pathlib import Path

from admin.choose import choose_action
from admin.command_line import PROGRAM, build_command
from admin.options import Options
from mailcore.settings import load_settings

HELP = """
Manage users, groups, resources and mailboxes.

Each call does one thing. It works without a settings file; the database is found as kopano-dagent
finds it.
"""

EXAMPLES = """
\b
Examples:
  A user, a meeting room, and three beamers that answer invitations:
    kopano-admin -c anna -P -e anna@example.org -f "Anna Berg"
    kopano-admin -c -u aurora -e aurora@example.org -n room --mr-accept yes
        --mr-decline-conflict yes --timezone Europe/Berlin
    kopano-admin -c beamers -e beamers@example.org -n equipment --capacity 3
  A group with a mail address, and anna in it:
    kopano-admin -g sales -e sales@example.org
    kopano-admin -b anna -i sales
  At most 1000 MB for anna, and sales may read her Inbox:
    kopano-admin -u anna --qw 900 --qh 1000
    kopano-admin --set-rights anna sales read,visible --folder Inbox
  A deleted user's mailbox for somebody else:
    kopano-admin --list-orphans
    kopano-admin --hook-store CAC27E6D70BB45B0B712B760AE6BA0A8 -u anna
  What is there:
    kopano-admin -l
    kopano-admin -L
    kopano-admin --details anna
    kopano-admin --details --type group sales
    kopano-admin --list-bookings aurora --from 2030-05-01 --until 2030-06-01
  Shell completion, for bash (zsh and fish likewise):
    eval "$(_KOPANO_ADMIN_COMPLETE=bash_source kopano-admin)"

Exit code: 0; 1 when the request is wrong (nothing was changed then); 75 when the database cannot
be reached now.
"""


def run(options: Options) -> int:
    """Do what a command line asks for; return the exit code, or raise MailError."""
    action, options = choose_action(options)
    settings = load_settings(Path(options.config) if options.config else None, os.environ)
    # The database's packages take longer to load than everything before this line.
    from admin.perform import perform  # noqa: PLC0415

    return perform(action, options, settings)


command = build_command(run, help_text=HELP, examples=EXAMPLES)


def main() -> None:
    """The entry point of the command line."""
    command(prog_name=PROGRAM)


if __name__ == "__main__":
    main()
