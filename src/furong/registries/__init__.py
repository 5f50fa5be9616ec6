"""What government knows: the base registers. No registry imports another."""
