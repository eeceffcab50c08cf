"""Files in: read, checked row by row, loaded whole or not at all, and reported."""
