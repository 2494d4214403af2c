"""BentoML: a service."""
