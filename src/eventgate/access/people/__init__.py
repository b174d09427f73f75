"""The users of a company: who manages whom, their passwords, and the links by which they set one.

Touches PostgreSQL (owns users, password_links and password_link_requests; ends the API keys of a user who goes), the
mail, and the threads that hash passwords.
"""
