"""Animodel's Chamfer distance: its protocol, literally (`literal`) and fast (everything else)."""
