"""kopano-dagent: the LMTP edge, direct delivery and the wiring of the daemons."""
