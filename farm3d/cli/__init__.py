"""Layer 9: the commands: arguments in, messages out."""
