"""kopano-admin: what an administrator types."""
