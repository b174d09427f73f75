"""The REST surface: one noun, one module; paging, problem documents, OpenAPI.

Touches HTTP and the rooms it is handed; holds no SQL.
"""
