"""Server-rendered pages for people, under /console. Its place is kept; it comes later."""
