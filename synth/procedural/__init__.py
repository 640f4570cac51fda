"""The procedural farm: parametric quadrupeds that know their own truth."""
