"""What goes out: the transactional outbox, its worker, and SMS codes."""
