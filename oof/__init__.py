"""Out-of-office: settings, the decision to answer or stay silent, composing the answer; kopano-set-oof."""
