"""What every part of the API shares, and the routes about people and places."""
