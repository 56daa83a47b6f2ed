"""Out-of-office answers of two agents at the same moment: one sender gets one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from store.commit import Committer
from store.plan import OofClaim, StorePlan, Submission
from store.schema import oof_memory, outbox
from tests.support.mailboxes import PostOffice, outgoing, submission

AGENTS = 4
ROUNDS = 10


def test_mails_of_one_sender_through_several_agents_give_one_answer(
    post_office: PostOffice,
) -> None:
    agents = [Committer(post_office.database, post_office.blobs) for _ in range(AGENTS)]
    mailboxes = [post_office.mailbox() for _ in range(ROUNDS)]
    start = threading.Barrier(AGENTS)

    def mail(number: int, store_id: int) -> Submission:
        claim = OofClaim("ben@example.net", time.time() - 60)
        leaving = outgoing("ben@example.net", kind="oof", claim=claim)
        return submission(b"X-N: %d\r\n\r\n" % number, StorePlan(store_id, outgoing=(leaving,)))

    def deliver(number: int) -> None:
        agent = agents[number]
        for mailbox in mailboxes:
            # Every agent has mail for the first mailbox too: claims in different orders must not deadlock.
            batch = [mail(number, mailbox.id), mail(number, mailboxes[0].id)]
            staged = agent.stage(batch if number % 2 else batch[::-1])
            start.wait(20.0)
            with post_office.database.write() as connection:
                agent.apply(connection, staged)

    with ThreadPoolExecutor(AGENTS) as pool:
        for done in [pool.submit(deliver, number) for number in range(AGENTS)]:
            done.result(60.0)
    for mailbox in mailboxes:
        assert post_office.count(outbox, outbox.c.store_id == mailbox.id) == 1
        assert post_office.count(oof_memory, oof_memory.c.store_id == mailbox.id) == 1
