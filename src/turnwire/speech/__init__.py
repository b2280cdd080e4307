"""Speech engines: audio in, words out."""
