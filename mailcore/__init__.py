"""The shared words of mail: envelope, address, MIME, replies, settings, errors.  Pure; imports nothing of ours."""
