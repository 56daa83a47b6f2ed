"""What others may do with a mailbox, its folders and its calendars: listing and setting it (manual, chapter 8.1, 8.8).

Rights belong to a place; one that has no list of its own takes that of the place around it (store.rights).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from admin.context import Installation
from admin.naming import shown
from admin.options import Options
from admin.output import print_json, print_table, say
from mailcore.address import address_key
from mailcore.errors import UsageError
from store.mailboxes import DEFAULT_CALENDAR, Mailbox, find_folder, touch_directory
from store.public import PUBLIC
from store.rights import ALL, EVERYONE, NOTHING, Right, grant, list_rights
from store.schema import calendar
from userstore.everyone import everyone_of
from userstore.model import Group, Member

WORDS = {str(right.name).lower().replace("_", "-"): right for right in Right}
_SHORT = {"all": ALL, "none": NOTHING}


@dataclass(frozen=True, slots=True)
class Place:
    """Where rights hold: a folder or a calendar of a mailbox or, where neither is set, the whole mailbox."""

    folder_id: int | None = None
    calendar_id: int | None = None


def list_all(installation: Installation, options: Options) -> None:
    """Print the lists of rights in a mailbox, or that of one place in it."""
    mailbox = installation.mailbox(str(options.list_rights))
    with installation.database.read() as connection:
        granted = list_rights(connection, mailbox.id)
        calendars = _calendars(connection, mailbox)
    wanted = _place(mailbox, calendars, options)
    places = _places(mailbox, calendars)
    records = [
        {
            **places[Place(one.folder_id, one.calendar_id)],
            "subject": _shown_subject(installation, one.subject),
            "subject_id": one.subject,
            "rights": words_of(one.rights),
        }
        for one in granted
        if Place(one.folder_id, one.calendar_id) in (places if wanted == Place() else {wanted})
    ]
    if options.json:
        print_json(records)
        return
    print_table(
        ("Folder", "Calendar", "Subject", "Rights"),
        [
            (
                one["folder"] or ("" if one["calendar"] else "(the whole mailbox)"),
                one["calendar"],
                one["subject"],
                ", ".join(one["rights"]),
            )
            for one in records
        ],
    )


def set_rights(installation: Installation, options: Options) -> None:
    """Give a user or a group exactly these rights on a mailbox, or on a place in it."""
    assert options.set_rights is not None
    owner, name, text = options.set_rights
    rights = parse_rights(text)
    mailbox = installation.mailbox(owner)
    with installation.database.write() as connection:
        touch_directory(connection)  # from here on nobody else changes who exists
        subject = _subject(installation, owner, name)
        calendars = _calendars(connection, mailbox)
        place = _place(mailbox, calendars, options)
        lists = {Place(o.folder_id, o.calendar_id) for o in list_rights(connection, mailbox.id)}
        grant(
            connection,
            mailbox.id,
            subject.external_id,
            rights,
            folder_id=place.folder_id,
            calendar_id=place.calendar_id,
        )
    names = _places(mailbox, calendars)[place]
    where = names["folder"] or names["calendar"] or "the whole mailbox"
    given = ", ".join(words_of(rights)) or "none"
    say(f"Rights of {shown(subject)} on {where} of {mailbox.owner_name}: {given}.")
    if rights and place not in {Place(), *lists}:
        say(f"{where} has a list of its own now: what was granted around it does not hold there.")


def parse_rights(text: str) -> Right:
    """Read rights as they are typed; raises UsageError.

    >>> parse_rights("read,create-folder") == Right.READ | Right.CREATE_FOLDER
    True
    """
    if text in _SHORT:
        return _SHORT[text]
    rights = NOTHING
    for word in text.split(","):
        if word.strip() not in WORDS:
            known = ", ".join([*WORDS, *_SHORT])
            raise UsageError(f"right {word!r}: expected some of {known}, with commas between them")
        rights |= WORDS[word.strip()]
    return rights


def words_of(rights: Right) -> list[str]:
    """Rights as they are typed.

    >>> words_of(Right.READ | Right.FREE_BUSY)
    ['read', 'free-busy']
    """
    return [word for word, right in WORDS.items() if right in rights]


def _place(mailbox: Mailbox, calendars: dict[str, int], options: Options) -> Place:
    """The place that the options name; raises UsageError where there is none such."""
    if options.folder is not None and options.calendar is not None:
        raise UsageError("--folder and --calendar: one of them")
    if options.folder is not None:
        return Place(folder_id=find_folder(mailbox, options.folder))
    if options.calendar is None:
        return Place()
    name = options.calendar or DEFAULT_CALENDAR
    if name not in calendars:
        there = ", ".join(calendars) or "none"
        raise UsageError(f"{mailbox.owner_name} has no calendar {name!r}; there are: {there}")
    return Place(calendar_id=calendars[name])


def _calendars(connection: Connection, mailbox: Mailbox) -> dict[str, int]:
    query = select(calendar.c.name, calendar.c.id).where(calendar.c.store_id == mailbox.id)
    return {row.name: row.id for row in connection.execute(query.order_by(calendar.c.id))}


def _places(mailbox: Mailbox, calendars: dict[str, int]) -> dict[Place, dict[str, Any]]:
    """The names of every place that rights can be on; deleted folders are not among them."""
    return {
        Place(): {"folder": None, "calendar": None},
        **{Place(number): {"folder": p, "calendar": None} for p, number in mailbox.folders.items()},
        **{Place(None, n): {"folder": None, "calendar": name} for name, n in calendars.items()},
    }


def _subject(installation: Installation, owner: str, name: str) -> Member:
    """The user or group of that name; `everyone` is Everyone in the company of the owner.  Raises UsageError."""
    if address_key(name) == EVERYONE and owner != PUBLIC:
        company = installation.recipient(owner).user.company
        return everyone_of(installation.company_called(company) if company else None)
    subject = installation.member(name)
    if isinstance(subject, Group) and not subject.security:
        raise UsageError(
            f"group {name} is for mail only and can have no rights;"
            f" --update-group {name} --security yes changes that"
        )
    return subject


def _shown_subject(installation: Installation, external_id: str) -> str:
    """The name of who has rights; the id of one whom the user store does not know any more."""
    subject = installation.users.by_external_id(external_id)
    return shown(subject) if subject else external_id
