"""Where our IMAP answers are not those of Dovecot 2.3, and why: each mail of the shapes that is concerned.

`docs/imap.md` explains each reason under the same words.  A test fails when a difference appears or is gone.
"""

from typing import NamedTuple

ENVELOPE = frozenset({"ENVELOPE"})
STRUCTURE = frozenset({"BODY", "BODYSTRUCTURE"})
SECTIONS = frozenset({"sections"})
OCTETS = STRUCTURE | SECTIONS | {"RFC822.SIZE", "BODY[HEADER]"}


class Difference(NamedTuple):
    """One reason: what it may change, and in which mails it does."""

    reason: str
    items: frozenset[str]
    mails: tuple[str, ...]


BARE_LF = "Bare LF is kept"

DIFFERENCES = (
    Difference(
        "Empty entries of an address list are skipped",
        ENVELOPE,
        ("to: empty entries", "to: only commas", "header: comma as reply-to"),
    ),
    Difference(
        "A broken address list is read as it was meant",
        ENVELOPE,
        (
            "to: encoded name with raw specials",
            "to: comment never closed",
            "to: two groups without a comma",
            "to: group in a group",
            "to: semicolons",
            "to: no local part in angles",
            "to: empty domain in angles",
            "to: two ats",
            "to: two ats in angles",
            "to: spaces around dots",
            "to: angle never closed",
            "to: angle never opened",
            "to: double angles",
            "to: quote never closed",
            "to: name with an at",
            "to: name with brackets",
            "to: mailto",
            "to: control characters",
            "to: backslash in a word",
            "header: several to, a quote is open",
        ),
    ),
    Difference(
        "A local part of several words is one", ENVELOPE, ("to: quoted part of a local part",)
    ),
    Difference("A comment before an address is its name", ENVELOPE, ("to: comment before",)),
    Difference(
        "An empty quoted local part counts as missing", ENVELOPE, ("to: empty quoted local part",)
    ),
    Difference(
        "Of several fields the first counts",
        ENVELOPE | STRUCTURE,
        (
            "header: several subjects",
            "header: several subjects, the first is empty",
            "header: several message-ids",
            "header: several dates",
            "header: several in-reply-to",
            "field: disposition twice",
            "part: disposition twice",
        ),
    ),
    Difference(
        "White space around an identifier is left out",
        ENVELOPE | STRUCTURE,
        (
            "header: trailing spaces",
            "header: folded message-id",
            "field: id folded",
            "part: id folded",
        ),
    ),
    Difference(
        "What is no media type is text/plain",
        STRUCTURE,
        (
            "type: semicolon first",
            "type: comma",
            "type: no subtype",
            "type: empty subtype",
            "type: no type",
            "type: three words",
            "type: empty",
            "type: white space",
            "type: nonsense",
            "type: specials in the type",
            "type: 8-bit type",
            "tree: digest with a bad type",
        ),
    ),
    Difference(
        "A value that should have been quoted is read whole",
        STRUCTURE,
        (
            "type: comment within",
            "type: unquoted with spaces",
            "type: unquoted with specials",
            "type: unquoted brackets",
            "type: quote never closed",
            "type: quote in the middle",
            "type: message partial",
            "type: controls",
            "field: disposition unquoted spaces",
            "part: disposition unquoted spaces",
        ),
    ),
    Difference(
        "A broken parameter is left out, the next one is read",
        STRUCTURE,
        ("type: no equals, then another", "type: no name"),
    ),
    Difference(
        "A misspelt encoding is understood or 7bit",
        STRUCTURE,
        (
            "field: encoding with a semicolon",
            "field: encoding quoted",
            "field: encoding 8-bit octets",
        ),
    ),
    Difference(
        "A disposition without a word is an attachment",
        STRUCTURE,
        (
            "field: disposition empty",
            "field: disposition only parameters",
            "field: disposition without a word",
            "field: disposition quoted",
            "part: disposition empty",
            "part: disposition only parameters",
            "part: disposition without a word",
            "part: disposition quoted",
        ),
    ),
    Difference(
        "Content fields count without MIME-Version",
        STRUCTURE,
        (
            "no version: encoding",
            "no version: disposition",
            "no version: id",
            "no version: language",
            "tree: base64",
            "tree: base64 garbage",
            "tree: quoted-printable",
        ),
    ),
    Difference(
        "A multipart without parts is a text",
        STRUCTURE | SECTIONS,
        (
            "tree: no parts",
            "tree: no body",
            "tree: no body, no blank line",
            "tree: closed at once",
            "tree: closed at once, then a part",
            "tree: no boundary parameter",
            "tree: empty boundary",
            "tree: another boundary",
            "tree: boundary in another case",
            "tree: boundary before the blank line",
            "tree: inner has no parts",
            "tree: inner has no boundary",
            "tree: inner is empty",
        ),
    ),
    Difference(
        "A boundary is the whole line",
        STRUCTURE | SECTIONS,
        (
            "tree: words after boundaries",
            "tree: cut in the last boundary, dash",
            "tree: boundary that begins alike",
            "tree: boundary with a space last",
        ),
    ),
    Difference(
        "A long boundary is a boundary",
        STRUCTURE,
        ("tree: boundary of 100", "tree: boundary of 200"),
    ),
    Difference(
        "A boundary in the form of RFC 2231 is decoded",
        STRUCTURE | SECTIONS,
        ("tree: boundary encoded",),
    ),
    Difference(
        "The line end before a boundary belongs to the boundary",
        STRUCTURE | SECTIONS,
        (
            "tree: forwarded in a part, empty",
            "tree: digest with empty parts",
            "tree: inner ends with a boundary",
        ),
    ),
    Difference(
        "A boundary that comes again is the outer one's",
        STRUCTURE | SECTIONS,
        ("tree: the same boundary inside", "tree: forwarded in a part, same boundary"),
    ),
    Difference(
        "An encoded message/rfc822 is a file",
        STRUCTURE,
        ("tree: forwarded in base64", "tree: forwarded in quoted-printable"),
    ),
    Difference("The tree has 50 levels at most", STRUCTURE | SECTIONS, ("tree: nested 60",)),
    Difference(
        BARE_LF,
        OCTETS,
        (
            "tree: no header, LF",
            "tree: bare LF",
            "tree: bare LF in the body",
            "tree: bare LF in the header",
            "tree: bare LF, multipart",
            "tree: boundary after a bare LF",
        ),
    ),
    Difference("Bare CR is kept", OCTETS, ("tree: bare CR", "tree: CR CR LF", "tree: binary")),
    Difference("NUL is kept", OCTETS, ("header: NUL in a subject", "type: NUL", "tree: NUL")),
)
