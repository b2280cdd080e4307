"""Several processes as one server: one that has the port, and workers that have the sessions."""
