"""Scenes about an animal: their light, ground, sky and things, and the photograph of them."""
