"""Who may open a session."""
