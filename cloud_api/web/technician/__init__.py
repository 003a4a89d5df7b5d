"""The pages for technicians, at `/technician`: a phone in one hand, a ladder in the other, sun on the screen."""
