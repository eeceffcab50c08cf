"""What `manage.py bench` is made of: a database, a site, a load, and the measures."""
