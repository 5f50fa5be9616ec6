"""What government does: decisions, processes, catalogue, services, cases."""
