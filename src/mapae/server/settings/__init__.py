"""Every setting of the server; nothing else reads the environment."""

from mapae.server.settings.model import Row, Settings, describe
from mapae.server.settings.sources import SettingsError, load_settings, load_with_sources

__all__ = ["Row", "Settings", "SettingsError", "describe", "load_settings", "load_with_sources"]
