"""One message for one recipient: the plan (junk, booking, rules, out-of-office) and what it commits."""
