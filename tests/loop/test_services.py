"""The embedded services: private, not superuser, durable, and gone with their parent."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_application_role_is_not_a_superuser():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
