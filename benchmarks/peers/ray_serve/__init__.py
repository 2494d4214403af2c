"""Ray Serve: a deployment."""
