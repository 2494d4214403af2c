"""From a laptop with Docker to a labelled picture on a kind cluster: what scripts/cluster and its steps are made of."""
