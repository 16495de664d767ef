"""The measure of a model and the baselines beside it. Grows with the inactivity model."""
