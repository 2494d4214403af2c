"""KServe's sample of a custom model, as a newcomer has it who follows it."""
