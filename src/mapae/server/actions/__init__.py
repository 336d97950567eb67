"""What happens: one verb a file."""
