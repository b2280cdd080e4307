"""Whether a server would run well here, found out without changing anything."""
