"""Counts the words of what is posted to it, by way of a temporary file."""

import os
import tempfile

import words


def app(environ, start_response):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size)
    descriptor, path = tempfile.mkstemp(prefix="post-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        count = words.count(path)
    finally:
        os.unlink(path)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{count}\n".encode()]
