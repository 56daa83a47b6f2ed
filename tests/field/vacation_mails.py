"""Mails with which our decision to answer is compared with that of Pigeonhole's vacation (RFC 5230).

Anna is anna@example.org, and info@example.org and anna@b\xfccher.example are hers too; she is a member of
team@example.org.  The null sender is not among them: sieve-test knows
none.  What is said of a difference is why ours is right.
"""

from typing import NamedTuple

ME = "anna@example.org"
ALIASES = ("info@example.org", "anna@xn--bcher-kva.example")
GROUP = "team@example.org"
BEN = "ben@example.net"

_ROBOT = (
    "RFC 3834 section 2: a responder refuses where a loop may follow, and these names are programs'"
)
_AUTHOR = "RFC 3834 section 2: a responder refuses where a loop may follow, and From says who it is"
_SELF = "RFC 5233 section 1: the detail is of the same mailbox, so it is the user's own mail"
_BY_HAND = "RFC 3834 section 5: the value is `no`; a comment and parameters may follow"
_BULK = "RFC 3834 section 2: Precedence of this kind; case and blanks around the word mean nothing"
_ASKED = "the sender's own wish, whose words are compared without case"
_ANSWER = "RFC 3834 section 2: no response to responses; this field stands in those of our kind"
_DELEGATED = "docs/oof.md: a delegate does not answer for the one who was written to"
_SPAM = "RFC 3834 section 2: a responder refuses so as not to answer spam"
_FIELDS = "[oof] inhibit_auto_reply_headers names it"
_REPORT = "RFC 3834 section 2: no response to responses; a report is one, whoever is its sender"
_MEETING = "RFC 5546 section 3.2.3: a REPLY is a response"
_DETAIL = "RFC 5233 section 1: the detail is of the same mailbox, so it names the user"
_BLIND = "RFC 3834 section 2: a responder refuses so as not to tell of the recipient; [oof] autorespond_bcc"


class Mail(NamedTuple):
    """A mail, what we do (the reason for silence, or nothing for an answer), and why the peer's differing is wrong."""

    fields: str
    reason: str = ""
    differs: str = ""
    mail_from: str = BEN
    rcpt_to: str = ME
    to: str = f"To: {ME}"

    @property
    def content(self) -> bytes:
        """Its octets."""
        head = [self.fields, f"From: {BEN}", self.to, "Subject: Lunch"]
        if self.fields.lower().startswith("from:"):
            del head[1]
        lines = [line for line in head if line]
        return "".join(f"{line}\r\n" for line in (*lines, "", "At noon?")).encode()


def _from(mail_from: str, reason: str = "robot sender", differs: str = "") -> Mail:
    return Mail("", reason, differs, mail_from=mail_from)


def _to(to: str, reason: str = "", differs: str = "", rcpt_to: str = ME) -> Mail:
    return Mail("", reason, differs, to=to, rcpt_to=rcpt_to)


MAILS = (
    # --- people -------------------------------------------------------------------------------
    Mail(""),
    _from("Ben.Smith@Example.NET", ""),
    _from("rooter@example.net", ""),
    _from("anna@example.net", ""),
    _from("owner@example.net", ""),
    _from("request@example.net", ""),
    _from("ben-owner-7@example.net", ""),
    _from("ben+detail@example.net", ""),
    _from("ben=example.com@srs.example", ""),
    # --- senders that nobody reads ----------------------------------------------------------------
    _from("MAILER-DAEMON@example.net"),
    _from("mailer-daemon@mx.example.net"),
    _from("postmaster@example.net", differs=_ROBOT),
    _from("root@example.net", differs=_ROBOT),
    _from("LISTSERV@example.net"),
    _from("majordomo@example.net"),
    _from("owner-list@example.net"),
    _from("list-request@example.net"),
    _from("list-owner@example.net", differs=_ROBOT),
    _from("list-bounces@example.net", differs=_ROBOT),
    _from("bounces@example.net", differs=_ROBOT),
    _from("bounce-17@example.net", differs=_ROBOT),
    _from("list-bounces+anna=example.org@example.net", differs=_ROBOT),
    _from("noreply@example.net", differs=_ROBOT),
    _from("no-reply@example.net", differs=_ROBOT),
    _from("do-not-reply@example.net", differs=_ROBOT),
    _from("shop-noreply@example.net", differs=_ROBOT),
    _from("noreply+token@example.net", differs=_ROBOT),
    # --- oneself --------------------------------------------------------------------------------
    _from(ME, "own address"),
    _from("ANNA@example.org", "own address"),
    _from("info@example.org", "own address"),
    _from("anna+notes@example.org", "own address", _SELF),
    Mail("From: Anna <anna@example.org>", "own address", _AUTHOR),
    Mail("From: MAILER-DAEMON@mx.example.net (Mail Delivery System)", "robot sender", _AUTHOR),
    Mail("From: noreply@example.net", "robot sender", _AUTHOR),
    Mail("Sender: list-bounces@example.net", "robot sender", _AUTHOR),
    # --- lists ----------------------------------------------------------------------------------
    Mail("List-Id: <staff.example.net>", "mailing list"),
    Mail("List-Help: <mailto:help@example.net>", "mailing list"),
    Mail("List-Subscribe: <mailto:on@example.net>", "mailing list"),
    Mail("List-Unsubscribe: <mailto:off@example.net>", "mailing list"),
    Mail("list-post: <mailto:staff@example.net>", "mailing list"),
    Mail("List-Owner: <mailto:owner@example.net>", "mailing list"),
    Mail("List-Archive: <https://example.net/>", "mailing list"),
    Mail("Precedence: list", "bulk precedence"),
    Mail("Precedence: bulk", "bulk precedence"),
    Mail("Precedence:  JUNK ", "bulk precedence", _BULK),
    Mail("Precedence: first-class"),
    Mail("Precedence: urgent"),
    Mail("X-List: staff"),
    # --- programs -------------------------------------------------------------------------------
    Mail("Auto-Submitted: auto-generated", "auto-submitted"),
    Mail("Auto-Submitted: auto-replied (vacation)", "auto-submitted"),
    Mail("Auto-Submitted: auto-notified; owner-email=x", "auto-submitted"),
    Mail("Auto-Submitted: something-new", "auto-submitted"),
    Mail("Auto-Submitted: no"),
    Mail("Auto-Submitted: No"),
    Mail("Auto-Submitted: no (by hand)", differs=_BY_HAND),
    Mail("Auto-Submitted: no; comment=x", differs=_BY_HAND),
    Mail("Auto-Submitted:", "auto-submitted"),
    Mail("X-Auto-Response-Suppress: All", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: OOF", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: DR, OOF, AutoReply", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: autoreply", "sender asked for no answer", _ASKED),
    Mail("X-Auto-Response-Suppress: DR, RN, NRN"),
    Mail("X-Auto-Response-Suppress: None"),
    Mail("X-Kopano-Vacation: yes", "out-of-office answer", _ANSWER),
    Mail("X-Kopano-Delegated-For: carla@example.org", "delegated mail", _DELEGATED),
    Mail("X-Spam-Flag: YES", "spam", _SPAM),
    Mail("X-Spam-Flag: NO"),
    Mail("X-Is-Junk: YES", "header X-Is-Junk", _FIELDS),
    Mail("X-Amazon-Mail-Relay-Type: notification", "header X-Amazon-Mail-Relay-Type", _FIELDS),
    Mail("X-LinkedIn-Class: EMAIL-DEFAULT", "header X-LinkedIn-Class", _FIELDS),
    Mail(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
        "delivery report",
        _REPORT,
    ),
    Mail(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=b;\r\n"
        " report-type=disposition-notification",
        "delivery report",
        _REPORT,
    ),
    Mail(
        "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REPLY", "meeting reply", _MEETING
    ),
    Mail("MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST"),
    # --- whom it names --------------------------------------------------------------------------
    _to("To: Anna Berg <ANNA@Example.ORG>"),
    _to("To: ben@example.net, anna@example.org"),
    _to("To: friends: ben@example.net, anna@example.org;"),
    _to("To: ben@example.net\r\nTo: anna@example.org"),
    _to("To: info@example.org"),
    _to("To: info@example.org", rcpt_to="info@example.org"),
    _to("To: anna@xn--bcher-kva.example"),
    _to('To: "anna"@example.org'),
    _to("To: anna+lists@example.org", differs=_DETAIL, rcpt_to="anna+lists@example.org"),
    _to("To: anna+other@example.org", differs=_DETAIL),
    _to("Cc: anna@example.org"),
    _to("To: ben@example.net\r\nCc: info@example.org"),
    _to("To: ben@example.net\r\nBcc: anna@example.org", "blind copy", _BLIND),
    _to("Bcc: anna@example.org", "blind copy", _BLIND),
    _to("To: ben@example.net\r\nResent-To: anna@example.org"),
    _to("To: ben@example.net\r\nResent-Cc: anna@example.org"),
    _to("To: ben@example.net\r\nResent-Bcc: anna@example.org", "blind copy", _BLIND),
    _to("To: team@example.org", "sent to a group"),
    _to("To: team@example.org\r\nCc: anna@example.org"),
    _to("To: ben@example.net", "not addressed to me"),
    _to("To: hanna@example.org", "not addressed to me"),
    _to("To: anna@example.org.example.net", "not addressed to me"),
    _to('To: "anna@example.org" <ben@example.net>', "not addressed to me"),
    _to("To: undisclosed-recipients:;", "no recipient named"),
    _to("", "no recipient named"),
    _to("To: anna", "not addressed to me"),
)
