"""Pages that the server shows in a browser: plain files, no build step, nothing from elsewhere."""
