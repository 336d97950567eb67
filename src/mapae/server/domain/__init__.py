"""Pure rules: no await, no clock, no randomness, no log, no database."""
