"""The URL table."""

from django.urls import include, path

from improvement import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("reviews.urls")),
]
