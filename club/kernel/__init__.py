"""The shared primitives under every app's domain: small, pure where they can be."""
