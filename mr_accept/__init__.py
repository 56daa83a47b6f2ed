"""The auto-booker: iTIP, zones, recurrence, decision, reply are pure; book.py and worker.py act."""
