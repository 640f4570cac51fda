"""Layer 4: coordinate networks: signed distance, deformation, albedo."""
