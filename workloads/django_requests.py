#!/usr/bin/env python3
"""A Django application answering requests, all of it in memory.

Reveals: a real web framework: middleware, URL resolving, templates, forms,
signed sessions and the ORM over an SQLite table in memory. Each request makes
and drops some thousands of objects; caches warm up over the first hundreds.
SQLite's memory is the C library's, not pymalloc's: look at both layers.

Wants Django (Debian: python3-django); exits 3 where it is not installed.

--size N  requests.
"""
import argparse
import sys

try:
    import django
    from django.conf import settings
except ImportError:
    sys.stderr.write("django_requests: this interpreter has no Django\n")
    sys.exit(3)

settings.configure(
    SECRET_KEY="a workload has no secrets",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True,
)
django.setup()

# These may be imported only once the settings stand.
from django import forms  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402


class Note(models.Model):
    title = models.CharField(max_length=80)
    body = models.TextField()
    votes = models.IntegerField(default=0)

    class Meta:
        app_label = "notes"


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ["title", "body", "votes"]


LIST_TEMPLATE = engines["django"].from_string(
    "<h1>{{ visits }} visits</h1><ul>{% for note in notes %}"
    "<li class='{% cycle \"odd\" \"even\" %}'>{{ forloop.counter }}. {{ note.title|title }}"
    "{% if note.votes %} ({{ note.votes }} vote{{ note.votes|pluralize }}){% endif %}"
    "<p>{{ note.body|truncatewords:12 }}</p></li>{% endfor %}</ul>")


def index(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    notes = Note.objects.order_by("-votes", "-id")[:20]
    return HttpResponse(LIST_TEMPLATE.render(
        {"notes": notes, "visits": request.session["visits"]}, request))


def add(request):
    form = NoteForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    form.save()
    return HttpResponseRedirect("/")


def detail(request, number):
    found = Note.objects.filter(pk=number).values().first()
    return JsonResponse(found or {"error": "no such note"}, status=200 if found else 404)


urlpatterns = [path("", index), path("add", add), path("note/<int:number>", detail)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1500, metavar="N")
    size = parser.parse_args().size
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    client, statuses = Client(), {}
    for number in range(size):
        if number % 4 == 0:
            title = "" if number % 40 == 36 else "note %d" % number  # some are invalid
            response = client.post("/add", {"title": title, "votes": number % 7,
                                            "body": "some words " * (number % 50 + 1)})
        elif number % 4 == 3:
            response = client.get("/note/%d" % (number // 3))
        else:
            response = client.get("/")
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
    print("django_requests: %d requests, statuses %s" % (size, sorted(statuses.items())))


if __name__ == "__main__":
    main()
