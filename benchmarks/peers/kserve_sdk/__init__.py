"""KServe's SDK: a custom predictor."""
