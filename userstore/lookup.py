"""Who is meant by what stands in a RCPT: the rules of looking up, over any plugin.

Tried one after another, until something is found:

1. the address or alias as it is;
2. the same without its detail (`anna+lists@example.org`);
3. `user@company`, where that is a company's name; with a detail too;
4. the catch-all of the domain, `@example.org`.

What has no `@` is a name, as it is and then without its detail: a name of exactly that case goes before the others,
and a user before a group.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailcore.address import address_key
from mailcore.errors import AmbiguousRecipientError, NoSuchRecipientError
from mailcore.path import canonical_quoted
from mailcore.reply import LmtpReply
from userstore.everyone import is_everyone
from userstore.model import Contact, Entry, Group, Member, User
from userstore.plugin import UserStore

IS_A_CONTACT = LmtpReply(550, "5.1.1", "a contact, who has no mailbox here")
IS_EVERYONE = LmtpReply(550, "5.1.1", "nobody can write to Everyone")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a text means; `detail` is what stood behind the delimiter, as it was written."""

    entry: Member
    detail: str = ""


def find(plugin: UserStore, text: str, delimiter: str) -> Found:
    """Whom an address or a name means; each character of `delimiter` begins a detail, as in Postfix.

    Raises NoSuchRecipientError where that is certainly nobody who has mail here, AmbiguousRecipientError where it
    can be several, TemporaryError where the answer is not known.
    """
    spellings = _spellings(text, delimiter)
    for entries, detail in _candidates(plugin, spellings):
        if entries:
            return Found(_the_only(text, entries), detail)
    raise NoSuchRecipientError(f"no such user: {text}")


def expand(plugin: UserStore, group: Group) -> list[User]:
    """Every user in a group, once, also those in the groups within; nearer ones first."""
    users: dict[str, User] = {}
    seen = {group.external_id}
    waiting = deque([group])
    while waiting:
        for member in plugin.members(waiting.popleft()):
            if isinstance(member, User):
                users.setdefault(member.external_id, member)
            elif member.external_id not in seen:
                seen.add(member.external_id)
                waiting.append(member)
    return list(users.values())


def _spellings(text: str, delimiter: str) -> list[tuple[str, str]]:
    """The text as it is and, where it has a detail, without; each with its detail.

    >>> _spellings("anna+Lists@example.org", "+")
    [('anna+Lists@example.org', ''), ('anna@example.org', 'Lists')]
    """
    local, at, domain = text.rpartition("@") if "@" in text else (text, "", "")
    quoted = len(local) > 1 and local[0] == local[-1] == '"'
    written = local[1:-1] if quoted else local
    length = next((i for i, letter in enumerate(written) if i and letter in delimiter), 0)
    if not length:
        return [(text, "")]
    name, detail = written[:length], written[length + 1 :]
    if quoted:
        name, detail = canonical_quoted(f'"{name}"'), _ESCAPED.sub(r"\1", detail)
    return [(text, ""), (f"{name}{at}{domain}", detail)]


def _candidates(
    plugin: UserStore, spellings: Sequence[tuple[str, str]]
) -> Iterator[tuple[Sequence[Entry], str]]:
    """What each rule finds, in their order, with the detail."""
    if "@" not in spellings[0][0]:
        for name, detail in spellings:
            yield _of_name(plugin.by_name(name), name), detail
        return
    for address, detail in spellings:
        yield plugin.by_address(address), detail
    for address, detail in spellings:
        name, _, company = address.rpartition("@")
        if name and company:
            yield _of_company(plugin.by_name(name), name, company), detail
    domain = spellings[0][0].rpartition("@")[2]
    yield plugin.by_address(f"@{domain}"), ""


def _of_name(entries: Sequence[Member], name: str) -> Sequence[Member]:
    """Those who are meant by a name, among those who have it in some case."""
    entries = [entry for entry in entries if entry.name == name] or entries
    return [entry for entry in entries if isinstance(entry, User)] or entries


def _of_company(entries: Sequence[Member], name: str, company: str) -> Sequence[Member]:
    key = address_key(company)
    return _of_name([entry for entry in entries if address_key(entry.company) == key], name)


def _the_only(text: str, entries: Sequence[Entry]) -> Member:
    """The one who is left when those are passed over who can have no mail here; raises as `find`."""
    here = [entry for entry in entries if not isinstance(entry, Contact)]
    if not here:
        raise NoSuchRecipientError(f"a contact, who has no mailbox here: {text}", IS_A_CONTACT)
    reached = [entry for entry in here if not is_everyone(entry.external_id)]
    if not reached:
        raise NoSuchRecipientError(f"nobody can write to Everyone: {text}", IS_EVERYONE)
    if len(reached) > 1:
        names = ", ".join(sorted(_shown(entry) for entry in reached))
        raise AmbiguousRecipientError(f"several recipients are {text}: {names}")
    return reached[0]


def _shown(entry: Member) -> str:
    return f"{entry.name}@{entry.company}" if entry.company else entry.name
