"""Other serving frameworks with the same ResNet-50 and the same engine, each as its own documentation has it."""
