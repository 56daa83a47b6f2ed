"""Everything durable: schema, migrations, mailboxes, calendars, jobs, outbox and the group-commit writer."""
