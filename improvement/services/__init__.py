"""PostgreSQL and Valkey for one machine, and the processes that `manage.py up` keeps alive."""
