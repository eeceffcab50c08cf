"""A small stateful server that answers as Stripe does, for tests and for demonstrations.

One process, standard library only: the `stripe` package is read for its types, so that
each request and each answer is held to what the installed SDK says. See README.md for what
is not modelled.
"""
