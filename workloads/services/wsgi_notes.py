"""The WSGI application that gunicorn_prefork.py serves: notes in memory."""
import json
import os
import signal
import urllib.parse

NOTES = []


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/stop":
        os.kill(os.getppid(), signal.SIGTERM)  # gunicorn's master
    if environ["REQUEST_METHOD"] == "POST":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        form = urllib.parse.parse_qs(environ["wsgi.input"].read(length).decode())
        NOTES.append({key: values[0] for key, values in form.items()})
        del NOTES[:-200]
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
    page = int(query.get("page", ["0"])[0])
    body = json.dumps(NOTES[page::11]).encode()
    start_response("200 OK", [("Content-Type", "application/json"),
                              ("Content-Length", str(len(body)))])
    return [body]
