"""Who exists, and whom each of a hundred texts means: what every user store plugin has to pass.

A plugin's test puts `COMPANIES`, `USERS` and `GROUPS` into its directory in its own way and then looks up each of
`LOOKUPS`, with the delimiter `+`.  `SHARED_LOOKUPS` are for plugins whose directory can also hold `SHARED`: contacts,
and several entries with one name or address.
"""

from dataclasses import dataclass

NOBODY = "550 5.1.1"
AMBIGUOUS = "550 5.1.4"


@dataclass(frozen=True)
class Person:
    """A user, group or contact of the table; `name@company` is how a look-up names it."""

    name: str
    address: str = ""
    aliases: tuple[str, ...] = ()
    company: str = ""

    @property
    def label(self) -> str:
        return f"{self.name}@{self.company}" if self.company else self.name


COMPANIES = ("acme", "Globex", "umbrella.example", "Bücher & Co")

USERS = (
    Person("anna", "anna@example.org", ("a.berg@example.org", "Anna.Berg@Bücher.example")),
    Person("Anna", "annika@example.org"),
    Person("ben", "Ben@Example.ORG", ("ben+alerts@example.org",)),
    Person("carl"),
    Person("dora@example.org", "boss@example.org"),
    Person("jürgen", "jürgen@example.org", ("jörg@straße.example", "post@mail.中国")),
    Person("quinn", '"quinn west"@example.org', ('"q@w"@example.org', "q.w@example.org")),
    Person("c++", "c++@example.org"),
    Person("plus+name", "plus@example.org"),
    Person("-odd", "-odd@example.org"),
    Person("catcher", "post@catch.example", ("@catch.example", "@bücher.example")),
    Person("team", "person@example.org"),
    Person("john", "john@acme.example", company="acme"),
    Person("john", "john@globex.example", company="Globex"),
    Person("mary", "mary@acme.example", company="acme"),
    Person("Mary", "mary@globex.example", company="Globex"),
    Person("zoe", "zoe@umbrella.test", company="umbrella.example"),
    Person("lea", "lea@books.example", company="Bücher & Co"),
)

GROUPS = (
    Person("sales", "sales@example.org", ("verkauf@example.org",)),
    Person("BEN", "bens@example.org"),
    Person("staff"),
    Person("lost", "lost@example.org", ("@lost.example",)),
    Person("team", "team@acme.example", company="acme"),
    Person("crew", "crew@acme.example", company="acme"),
    Person("crew", "crew@globex.example", company="Globex"),
    Person("MARY", "marys@acme.example", company="acme"),
)

# text, whom it means, the detail
LOOKUPS: tuple[tuple[str, str, str], ...] = (
    # addresses and aliases
    ("anna@example.org", "anna", ""),
    ("ANNA@EXAMPLE.ORG", "anna", ""),
    ("annika@example.org", "Anna", ""),
    ("a.berg@example.org", "anna", ""),
    ("A.Berg@Example.org", "anna", ""),
    ("aberg@example.org", NOBODY, ""),
    ("ben@example.org", "ben", ""),
    ("boss@example.org", "dora@example.org", ""),
    ("dora@example.org", NOBODY, ""),  # a login name with an @ is no address
    ("carl@example.org", NOBODY, ""),
    ("team@example.org", NOBODY, ""),
    ("person@example.org", "team", ""),
    ("-odd@example.org", "-odd", ""),
    ("anna@example.com", NOBODY, ""),
    ("anna@sub.example.org", NOBODY, ""),
    ("anna@example.org.", NOBODY, ""),
    ("anna@", NOBODY, ""),
    ("@", NOBODY, ""),
    ("", NOBODY, ""),
    ("@example.org", NOBODY, ""),
    ("sales@example.org", "group sales", ""),
    ("VERKAUF@example.org", "group sales", ""),
    ("bens@example.org", "group BEN", ""),
    # domains and local parts in other scripts
    ("anna.berg@bücher.example", "anna", ""),
    ("anna.berg@BÜCHER.example", "anna", ""),
    ("anna.berg@xn--bcher-kva.example", "anna", ""),
    ("Anna.Berg@XN--BCHER-KVA.EXAMPLE", "anna", ""),
    ("anna.berg@bu\u0308cher.example", "anna", ""),
    ("anna.berg+x@xn--bcher-kva.example", "anna", "x"),
    ("anna.berg@bucher.example", NOBODY, ""),
    ("jürgen@example.org", "jürgen", ""),
    ("JÜRGEN@example.org", "jürgen", ""),
    ("ju\u0308rgen@example.org", "jürgen", ""),
    ("jurgen@example.org", NOBODY, ""),
    ("jörg@straße.example", "jürgen", ""),
    ("jörg@xn--strae-oqa.example", "jürgen", ""),
    ("post@mail.中国", "jürgen", ""),
    ("post@mail.xn--fiqs8s", "jürgen", ""),
    ("post@mail.xn--99999999", NOBODY, ""),
    # quoted local parts
    ('"anna"@example.org', "anna", ""),
    ('"a.berg"@example.org', "anna", ""),
    ('"a\\.berg"@example.org', "anna", ""),
    ('"quinn west"@example.org', "quinn", ""),
    ('"Quinn\\ West"@example.org', "quinn", ""),
    ('"q@w"@example.org', "quinn", ""),
    ("quinnwest@example.org", NOBODY, ""),
    ('"q.w"@example.org', "quinn", ""),
    ('"anna+my lists"@example.org', "anna", "my lists"),
    ('"quinn west+x"@example.org', "quinn", "x"),
    # details
    ("anna+lists@example.org", "anna", "lists"),
    ("anna+Lists@example.org", "anna", "Lists"),
    ("ANNA+LISTS@EXAMPLE.ORG", "anna", "LISTS"),
    ("anna+@example.org", "anna", ""),
    ("anna+a+b@example.org", "anna", "a+b"),
    ("a.berg+x@example.org", "anna", "x"),
    ("anna-lists@example.org", NOBODY, ""),
    ("+anna@example.org", NOBODY, ""),
    ("+@example.org", NOBODY, ""),
    ("ben+alerts@example.org", "ben", ""),  # an alias of that spelling goes first
    ("ben+news@example.org", "ben", "news"),
    ("c++@example.org", "c++", ""),
    ("nobody+x@example.org", NOBODY, ""),
    ("sales+x@example.org", "group sales", "x"),
    ("jürgen+ordner-ä@example.org", "jürgen", "ordner-ä"),
    # name@company
    ("john@acme", "john@acme", ""),
    ("john@ACME", "john@acme", ""),
    ("JOHN@globex", "john@Globex", ""),
    ("john+x@acme", "john@acme", "x"),
    ("anna@acme", NOBODY, ""),
    ("mary@acme", "mary@acme", ""),
    ("MARY@acme", "group MARY@acme", ""),
    ("Mary@acme", "mary@acme", ""),  # a user goes before a group
    ("mary@globex", "Mary@Globex", ""),
    ("team@acme", "group team@acme", ""),
    ("crew@globex", "group crew@Globex", ""),
    ("zoe@umbrella.example", "zoe@umbrella.example", ""),
    ("Zoe+x@Umbrella.Example", "zoe@umbrella.example", "x"),
    ("zoe@umbrella.test", "zoe@umbrella.example", ""),
    ("lea@bücher & co", "lea@Bücher & Co", ""),
    ("everyone@acme", NOBODY, ""),
    ("john@initech", NOBODY, ""),
    # what is nobody's goes to whom the domain's rest belongs
    ("post@catch.example", "catcher", ""),
    ("whoever@catch.example", "catcher", ""),
    ("who.ever+x@CATCH.example", "catcher", ""),
    ("anyone@xn--bcher-kva.example", "catcher", ""),
    ("whoever@sub.catch.example", NOBODY, ""),
    ("whoever@lost.example", "group lost", ""),
    # names
    ("anna", "anna", ""),
    ("Anna", "Anna", ""),
    ("ANNA", AMBIGUOUS, ""),
    ("carl", "carl", ""),
    ("CARL", "carl", ""),
    ("BEN", "group BEN", ""),
    ("ben", "ben", ""),
    ("Ben", "ben", ""),  # a user goes before a group
    ("team", "team", ""),
    ("staff", "group staff", ""),
    ("john", AMBIGUOUS, ""),
    ("mary", "mary@acme", ""),
    ("mArY", AMBIGUOUS, ""),
    ("crew", AMBIGUOUS, ""),
    ("lea", "lea@Bücher & Co", ""),
    ("carl+lists", "carl", "lists"),
    ("plus+name", "plus+name", ""),
    ("plus+name+x", NOBODY, ""),
    ("c++", "c++", ""),
    ("JÜRGEN", "jürgen", ""),
    ("Anna Berg", NOBODY, ""),
    ("everyone", NOBODY, ""),
    ("Everyone", NOBODY, ""),
    ("everyone+x", NOBODY, ""),
    ("SYSTEM", NOBODY, ""),
    ("nobody", NOBODY, ""),
)


@dataclass(frozen=True)
class Shared:
    """Entries beside those above."""

    users: tuple[Person, ...]
    groups: tuple[Person, ...]
    contacts: tuple[Person, ...]


SHARED = Shared(
    users=(
        Person("pat", "pat@shared.example", ("both@shared.example", "mixed@shared.example")),
        Person("pia", "pia@shared.example", ("both@shared.example", "list@shared.example")),
        Person("twin", "twin1@shared.example"),
        Person("twin", "twin2@shared.example"),
    ),
    groups=(Person("list", "list@shared.example"),),
    contacts=(
        Person("supplier", "supplier@elsewhere.example"),
        Person("pat abroad", "mixed@shared.example"),
    ),
)

SHARED_LOOKUPS: tuple[tuple[str, str, str], ...] = (
    ("both@shared.example", AMBIGUOUS, ""),
    ("both+x@shared.example", AMBIGUOUS, ""),
    ("list@shared.example", AMBIGUOUS, ""),
    ("mixed@shared.example", "pat", ""),  # a contact takes no mail here
    ("supplier@elsewhere.example", NOBODY, ""),
    ("supplier+x@elsewhere.example", NOBODY, ""),
    ("supplier", NOBODY, ""),
    ("twin", AMBIGUOUS, ""),
    ("twin1@shared.example", "twin", ""),
)
