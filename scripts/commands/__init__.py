"""One module for each script; ``scripts/cluster`` runs them all."""
