"""The portal's pages: public ones, applying, and a person's own space."""
