import time

from spooler.lease import BatchLease, kept_lease
from store.outbox import count_queued, lease_due, mark_sent, release_untried
from tests.spooler.outbox import Outbox
from tests.support.waiting import wait_for

SHORT = 0.3


def test_lease_is_kept_while_the_batch_is_sent(outbox: Outbox) -> None:
    outbox.queue("ann@x.org", "ben@x.org")
    batch = lease_due(outbox.database, 50, SHORT)
    with kept_lease(outbox.database, batch, SHORT, time.monotonic()) as lease:
        until = time.monotonic() + 3 * SHORT
        wait_for(lambda: time.monotonic() > until, what="three leases pass")
        assert lease.held
        assert lease_due(outbox.database, 50, SHORT) == []
    assert len(wait_for(lambda: lease_due(outbox.database, 50, SHORT), what="it runs out")) == 2


def test_lease_in_other_hands_is_known_to_be_lost(outbox: Outbox) -> None:
    outbox.queue("ann@x.org")
    batch = lease_due(outbox.database, 50, 60.0)
    lease = BatchLease(outbox.database, batch, 60.0, time.monotonic())
    lease.renew()
    assert lease.held
    outbox.let_time_pass()
    assert lease_due(outbox.database, 50, 60.0) != []
    lease.renew()
    assert not lease.held


def test_lease_that_was_never_renewed_runs_out(outbox: Outbox) -> None:
    outbox.queue("ann@x.org")
    batch = lease_due(outbox.database, 50, 60.0)
    assert not BatchLease(outbox.database, batch, 60.0, taken_at=-1e9).held


def test_untried_mails_are_due_again_at_once(outbox: Outbox) -> None:
    outbox.queue("ann@x.org", "ben@x.org")
    batch = lease_due(outbox.database, 50, 60.0)
    release_untried(outbox.database, batch[1:])
    (again,) = lease_due(outbox.database, 50, 60.0)
    assert again.mail.rcpt_to == "ben@x.org"
    assert again.attempts == 0
    release_untried(outbox.database, [])


def test_mail_in_other_hands_is_not_given_back(outbox: Outbox) -> None:
    outbox.queue("ann@x.org")
    batch = lease_due(outbox.database, 50, 60.0)
    outbox.let_time_pass()
    lease_due(outbox.database, 50, 60.0)
    release_untried(outbox.database, batch)
    assert lease_due(outbox.database, 50, 60.0) == []


def test_queued_mails_are_counted_due_or_not(outbox: Outbox) -> None:
    outbox.queue("ann@x.org", "ben@x.org")
    first, _ = lease_due(outbox.database, 50, 60.0)
    assert count_queued(outbox.database) == 2
    mark_sent(outbox.database, [(first, "250 ok")])
    assert count_queued(outbox.database) == 1
