"""What the server does with a bundle, measured against what the bare engine does with it."""
