"""SQL lives here and nowhere else, as named, typed functions."""
