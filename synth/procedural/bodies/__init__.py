"""The species' mean bodies: one table each."""
