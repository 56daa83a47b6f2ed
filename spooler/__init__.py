"""The spooler: outbox to SMTP, with retries and bounces."""
