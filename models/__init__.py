"""Homes to learn from, the measure of a model, and the model itself."""
