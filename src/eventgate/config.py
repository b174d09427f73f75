"""The configuration: TOML, environment and secret files, validated and frozen."""
