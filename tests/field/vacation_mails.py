"""Mails with which our decision to answer is compared with that of Pigeonhole's vacation (RFC 5230).

Anna is anna@example.org, and info@example.org and anna@b\xfccher.example are hers too; she is a member of
team@example.org.  What is said of a difference is why ours is right.
"""

from typing import NamedTuple

ME = "anna@example.org"
ALIASES = ("info@example.org", "anna@xn--bcher-kva.example")
GROUP = "team@example.org"
BEN = "ben@example.net"

_ROBOT = "RFC 3834 section 2: no response to senders that are recognised as robots"
_AUTHOR = "RFC 3834 section 2: a responder may be silent where the author is a robot or oneself"
_FIELDS = "[oof] inhibit_auto_reply_headers"
_DETAIL = "RFC 5233: what stands behind the separator is a detail of the same user's address"
_REPORT = "RFC 3834 section 2: no response to what is itself a response, whoever is its sender"


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
    _from("", "null sender"),
    _from("MAILER-DAEMON@example.net"),
    _from("mailer-daemon@mx.example.net"),
    _from("postmaster@example.net"),
    _from("root@example.net"),
    _from("LISTSERV@example.net"),
    _from("majordomo@example.net"),
    _from("owner-list@example.net"),
    _from("list-request@example.net"),
    _from("list-owner@example.net"),
    _from("list-bounces@example.net"),
    _from("bounces@example.net"),
    _from("bounce-17@example.net"),
    _from("list-bounces+anna=example.org@example.net"),
    _from("noreply@example.net"),
    _from("no-reply@example.net"),
    _from("do-not-reply@example.net"),
    _from("shop-noreply@example.net"),
    _from("noreply+token@example.net"),
    # --- oneself --------------------------------------------------------------------------------
    _from(ME, "own address"),
    _from("ANNA@example.org", "own address"),
    _from("info@example.org", "own address"),
    _from("anna+notes@example.org", "own address"),
    Mail("From: Anna <anna@example.org>", "own address"),
    Mail("From: MAILER-DAEMON@mx.example.net (Mail Delivery System)", "robot sender"),
    Mail("From: noreply@example.net", "robot sender"),
    Mail("Sender: list-bounces@example.net", "robot sender"),
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
    Mail("Precedence:  JUNK ", "bulk precedence"),
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
    Mail("Auto-Submitted: no (by hand)"),
    Mail("Auto-Submitted: no; comment=x"),
    Mail("Auto-Submitted:"),
    Mail("X-Auto-Response-Suppress: All", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: OOF", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: DR, OOF, AutoReply", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: autoreply", "sender asked for no answer"),
    Mail("X-Auto-Response-Suppress: DR, RN, NRN"),
    Mail("X-Auto-Response-Suppress: None"),
    Mail("X-Kopano-Vacation: yes", "out-of-office answer"),
    Mail("X-Kopano-Delegated-For: carla@example.org", "delegated mail"),
    Mail("X-Spam-Flag: YES", "spam"),
    Mail("X-Spam-Flag: NO"),
    Mail("X-Is-Junk: YES", "header X-Is-Junk"),
    Mail("X-Amazon-Mail-Relay-Type: notification", "header X-Amazon-Mail-Relay-Type"),
    Mail("X-LinkedIn-Class: EMAIL-DEFAULT", "header X-LinkedIn-Class"),
    Mail(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
        "delivery report",
    ),
    Mail(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=b;\r\n"
        " report-type=disposition-notification",
        "delivery report",
    ),
    Mail("MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REPLY", "meeting reply"),
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
    _to("To: anna+lists@example.org", rcpt_to="anna+lists@example.org"),
    _to("To: anna+other@example.org"),
    _to("Cc: anna@example.org"),
    _to("To: ben@example.net\r\nCc: info@example.org"),
    _to("To: ben@example.net\r\nBcc: anna@example.org", "blind copy"),
    _to("Bcc: anna@example.org", "blind copy"),
    _to("To: ben@example.net\r\nResent-To: anna@example.org"),
    _to("To: ben@example.net\r\nResent-Cc: anna@example.org"),
    _to("To: ben@example.net\r\nResent-Bcc: anna@example.org", "blind copy"),
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
