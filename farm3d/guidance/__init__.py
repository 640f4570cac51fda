"""Layer 4: what a diffusion model thinks of pictures, and the gradients that it gives."""
