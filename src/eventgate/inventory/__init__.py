"""Folds sightings and heartbeats into sensors, clients and access points. Its place is kept; it comes later."""
