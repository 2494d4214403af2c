"""MLServer: a custom runtime."""
