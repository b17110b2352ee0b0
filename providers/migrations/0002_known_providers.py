"""A row for each provider, so that the administration lists them all before the first check."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PROVIDERS = ("animesama", "nekosama", "animeultime", "feed")


def add_rows(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """An empty row says the same as none: the settings decide."""
    state = apps.get_model("providers", "ProviderState")
    rows = [state(provider_id=provider_id) for provider_id in PROVIDERS]
    state.objects.using(schema_editor.connection.alias).bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("providers", "0001_initial")]

    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop)]
