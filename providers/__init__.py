"""Providers, one file each, both directions: the request that goes out and the webhook that comes back."""
