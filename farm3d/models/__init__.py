"""Layer 5: the model: prior, predictors, fields and renderer together."""
