"""Twenty resources with rules of every kind, and an agent that is sent what a simulation has made up."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from store.booking_policies import save_policy_values
from store.engine import Database
from store.mailboxes import create_mailbox, update_mailbox
from tests.support.agent import RunningAgent
from tests.support.simulation_transport import Delivery
from userstore.db_edit import DbEditor

CLIENTS = 6
WINDOW_DAYS = 100
SETTINGS = {
    "DAGENT_BOOKING_MAX_REPLIES_PER_HOUR": "0",
    "DAGENT_BOOKING_BOOKING_WINDOW_DAYS": str(WINDOW_DAYS),
    "DAGENT_SPOOLER_MAX_RETRY_INTERVAL": "3600",
}


@dataclass(frozen=True)
class Resource:
    """A resource; `policy` is written as for `kopano-admin --set-policy`, `mailbox` are columns of its row."""

    name: str
    capacity: int = 0
    zone: str = "UTC"
    policy: Mapping[str, str] = field(default_factory=dict)
    mailbox: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is invited."""
        return f"{self.name}@example.org"

    @property
    def places(self) -> int:
        """How many bookings may hold it at an instant; 0: any number."""
        return (self.capacity or 1) if self.mailbox.get("mr_decline_conflict", True) else 0


BERLIN = "Europe/Berlin"
RESOURCES = (
    *(Resource(f"room{number}") for number in range(1, 6)),
    *(Resource(f"room{number}", zone=BERLIN) for number in (6, 7)),
    Resource("hours", zone=BERLIN, policy={"work_hours": "07:00-18:00", "work_days": "mon-fri"}),
    Resource("lenient", policy={"max_conflicts": "3"}),
    Resource("share", policy={"max_conflict_percent": "30", "partial_reply": "separate"}),
    Resource("giving", zone=BERLIN, policy={"on_failed_update": "release", "max_conflicts": "2"}),
    Resource("releasing", policy={"on_failed_update": "release"}),
    Resource("once", mailbox={"mr_decline_recurring": True}),
    Resource("soon", policy={"booking_window_days": "30", "enforce_horizon": "yes"}),
    Resource("free", mailbox={"mr_decline_conflict": False}),
    Resource("two", 2, zone="America/New_York"),
    Resource("three", 3, policy={"max_conflicts": "10", "max_conflict_percent": "40"}),
    Resource("three-short", 3, policy={"max_duration_minutes": "60"}),
    Resource("four", 4, policy={"past_requests": "accept"}),
    Resource("five", 5, policy={"past_requests": "decline"}),
)


def furnish(database: Database) -> dict[str, int]:
    """Make the resources; return their stores by name."""
    stores = {}
    for resource in RESOURCES:
        kind: dict[str, Any] = {"resource_type": "equipment" if resource.capacity else "room"}
        if resource.capacity:
            kind["capacity"] = resource.capacity
        account = {"address": resource.address, **kind}
        mailbox = {"mr_accept": True, "mr_decline_conflict": True, **resource.mailbox}
        with database.write() as connection:
            user = DbEditor().create_user(connection, resource.name, account)
            store_id = create_mailbox(connection, user.external_id, resource.name)
            update_mailbox(connection, store_id, {**mailbox, "timezone": resource.zone})
            save_policy_values(connection, store_id, dict(resource.policy))
        stores[resource.name] = store_id
    return stores


def send_all(agent: RunningAgent, deliveries: Sequence[Delivery]) -> None:
    """Send over several connections at once, each taking the next one; all of it has to be taken."""
    waiting = deque(deliveries)
    refused: list[str] = []

    def send() -> None:
        with agent.client() as client:
            while waiting:
                try:
                    one = waiting.popleft()
                except IndexError:
                    return
                replies = client.send(one.mail_from, one.rcpt_tos, one.content)
                refused.extend(str(reply) for reply in replies if reply.code != 250)

    threads = [threading.Thread(target=send) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
