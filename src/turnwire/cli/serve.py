"""`turnwire serve`."""
