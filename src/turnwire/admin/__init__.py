"""What operators do and see: one interface, on a database of this machine or by HTTP."""
