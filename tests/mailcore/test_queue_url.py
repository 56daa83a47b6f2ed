from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.errors import UsageError
from mailcore.queue_url import QueuePlace, parse_queue_url

WHERE = "kopano.toml: [queue] url"
PASSWORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://cache", QueuePlace((("cache", 6379),))),
        ("redis://cache:7000/3", QueuePlace((("cache", 7000),), database=3)),
        ("redis://[::1]:7000", QueuePlace((("::1", 7000),))),
        ("redis://[::1]/", QueuePlace((("::1", 6379),))),
        ("redis://:pw@cache", QueuePlace((("cache", 6379),), password="pw")),
        ("redis://ann:pw@cache", QueuePlace((("cache", 6379),), username="ann", password="pw")),
        (
            "rediss://cache?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=no",
            QueuePlace(
                (("cache", 6379),),
                tls=True,
                options={"ssl_ca_certs": "/etc/ca.pem", "ssl_check_hostname": "no"},
            ),
        ),
        ("unix:///run/redis.sock", QueuePlace(path="/run/redis.sock")),
        (
            "unix://:pw@/run/my%20redis.sock?db=2",
            QueuePlace(path="/run/my redis.sock", password="pw", database=2),
        ),
        (
            "redis+sentinel://:pw@one:7001,two,[::1]:7002/main/4?sentinel_password=s%26t",
            QueuePlace(
                (("one", 7001), ("two", 26379), ("::1", 7002)),
                service="main",
                database=4,
                password="pw",
                options={"sentinel_password": "s&t"},
            ),
        ),
        ("rediss+sentinel://one/main", QueuePlace((("one", 26379),), service="main", tls=True)),
    ],
)
def test_reads_every_kind_of_place(url: str, place: QueuePlace) -> None:
    assert parse_queue_url(url, WHERE) == place


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("localhost:6379", "begins with one of redis, rediss, unix"),
        ("http://localhost", "begins with one of redis, rediss, unix"),
        ("redis://", "expected a host"),
        ("redis://:6379", "expected a host"),
        ("redis://localhost:port", "expected a port between 1 and 65535"),
        ("redis://localhost:0", "expected a port between 1 and 65535"),
        ("redis://localhost:70000", "expected a port between 1 and 65535"),
        ("redis://localhost:٣", "expected a port between 1 and 65535"),
        ("redis://one,two", "several are for redis+sentinel://"),
        ("redis://localhost/first", "expected the number of the database"),
        ("redis://localhost/0/1", "expected the number of the database"),
        ("redis://localhost/-1", "expected the number of the database"),
        ("redis://localhost?db=1", "unknown option 'db'; known here: none"),
        ("redis://localhost?ssl_ca_certs=x", "unknown option 'ssl_ca_certs'"),
        ("rediss://localhost?ssl_cert_reqs=maybe", "expected one of required, none"),
        ("unix://run/redis.sock", "expected unix:///path"),
        ("unix://", "expected unix:///path"),
        ("redis+sentinel://one", "expected the name of the service"),
        ("redis+sentinel://one/main/zero", "expected the number of the database"),
        ("redis://[::1", "expected a URL like redis://"),
        ("redis://:a#b@localhost", "written as %23"),
        ("redis://:a/b@localhost", "written as %23"),
        ("redis://:a?b=c@localhost", "written as %23"),
    ],
)
def test_refuses_what_cannot_work(url: str, expected: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_queue_url(url, WHERE)
    assert str(refused.value).startswith(f"{WHERE}: ")
    assert expected in str(refused.value)


@given(PASSWORDS)
def test_any_password_can_be_written(password: str) -> None:
    url = f"redis://:{quote(password, safe='')}@cache/1"
    place = parse_queue_url(url, WHERE)
    assert (place.password, place.database) == (password, 1)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_no_password_shows_in_a_message(text: str) -> None:
    url = f"redis://:{text}geheim{text}@cache:port/1"
    with pytest.raises(UsageError) as refused:
        parse_queue_url(url, WHERE)
    assert "geheim" not in str(refused.value)


def test_a_place_shows_no_password() -> None:
    place = parse_queue_url(
        "redis+sentinel://:geheim@one,two:7/main?sentinel_password=geheim", WHERE
    )
    assert str(place) == "main (by the sentinels one:26379, two:7)"
    assert "geheim" not in repr(place)
