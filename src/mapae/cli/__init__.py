"""The command `mapae`: one file a verb."""
