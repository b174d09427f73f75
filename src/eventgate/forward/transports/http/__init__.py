"""Receivers that speak HTTP: Splunk's event collector, the bulk interface of Elasticsearch and OpenSearch, webhooks.

Touches the network, by ``outbound``. What the three share: ``settings`` (the keys), ``line`` (one receiver, asked with
the certificates of the moment), ``answers`` (what an answer means for the delivery loop) and ``requests`` (a window as
several requests on their way at once, down to the one event that a receiver refuses).
"""
