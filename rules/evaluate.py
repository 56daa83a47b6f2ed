"""Evaluating rules: which of them a message meets.  Pure; nothing is done here.

The order of MS-OXORULE section 3.2.5: a rule that stops ends the ordinary rules, those for out-of-office go on.
Delete ends them all, because nothing is left to act on.
"""

from collections.abc import Iterable

from rules.message import Folded, Me, Situation
from rules.model import Rule


def evaluate(
    mail: Folded, rules: Iterable[Rule], *, me: Me, oof_active: bool, now: float
) -> tuple[Rule, ...]:
    """Return the rules that are obeyed, in their order; each has the actions that it asks for.

    `rules` come in the order in which they run (rules.model.parse_rules).  `mail` is shared by all recipients of a
    message.  `now` is the time of delivery in epoch seconds.  Nothing is raised, whatever the message is.
    """
    at = Situation(mail, me, now)
    obeyed: list[Rule] = []
    stopped = False
    for rule in rules:
        if not rule.enabled or not (oof_active if rule.only_when_oof else not stopped):
            continue
        if not rule.condition.holds(at):
            continue
        obeyed.append(rule)
        if rule.deletes:
            break
        stopped = stopped or rule.stop
    return tuple(obeyed)
