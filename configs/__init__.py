"""The packaged presets: one YAML per category and size, holding only what differs from the defaults."""
