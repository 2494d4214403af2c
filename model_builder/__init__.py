"""What happens before the pod: a network is trained, exported, quantized, measured and written as a model bundle."""
