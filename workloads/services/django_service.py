#!/usr/bin/env python3
"""Django behind wsgiref: three bursts of requests, an idle valley after each.

Reveals: what a web framework's caches and session machinery keep in a valley.

Wants Django (Debian: python3-django); exits 3 where it is not installed.

--size N  requests.
"""
import argparse
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import load

try:
    from django.conf import settings
except ImportError:
    sys.stderr.write("django_service: this interpreter has no Django\n")
    sys.exit(3)

settings.configure(
    SECRET_KEY="a workload has no secrets", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"], CACHES={
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})

from django.core.cache import cache  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402

application = get_wsgi_application()
PAGE = engines["django"].from_string(
    "<ul>{% for note in notes %}<li>{{ note.title|title }}: {{ note.body|wordcount }}</li>"
    "{% endfor %}</ul>")
answered = [0]
stopping = []


def ready(request):
    return HttpResponse("ready")


def notes(request):
    answered[0] += 1
    kept = cache.get("notes", [])
    if request.method == "POST":
        kept = (kept + [dict(request.POST.items())])[-200:]
        cache.set("notes", kept)
    page = int(request.GET.get("page", 0))
    return HttpResponse(PAGE.render({"notes": kept[page::11]}))


def stop(request):
    threading.Thread(target=stopping[0].shutdown).start()
    return HttpResponse("stopped")


urlpatterns = [path("ready", ready), path("notes", notes), path("stop", stop)]


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=900)
size = parser.parse_args().size
with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
    stopping.append(server)
    client = load.start_client(server.server_port, size)
    server.serve_forever()
client.wait()
print("django_service: %d requests answered" % answered[0])
