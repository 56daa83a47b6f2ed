"""Two hooks to start from: a note on mail from outside, and a gate for attachments that can be run."""
