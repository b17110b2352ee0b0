"""Series know their latest season; start points have a season from now on.

Those that exist are left without: their number goes on to count by itself, as it did, until the
next new episode of a series with several seasons or somebody who names a number settles it.
"""

from django.db import migrations, models
from django.db.models import Exists, OuterRef, Subquery


def find_latest(apps, schema_editor):
    """The latest episode is that of the highest season."""
    del schema_editor
    series = apps.get_model("watchlist", "Series").objects
    episodes = apps.get_model("watchlist", "Episode").objects.filter(
        series=OuterRef("pk"), is_special=False
    )
    series.update(latest_season=Subquery(episodes.order_by("-season").values("season")[:1]))
    earlier = episodes.filter(season__lt=OuterRef("latest_season"))
    series.filter(Exists(earlier)).update(has_seasons=True)
    last = episodes.filter(season=OuterRef("latest_season")).order_by("-number").values("number")
    series.filter(has_seasons=True).update(latest_episode=Subquery(last[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ('watchlist', '0004_asked_by'),
    ]

    operations = [
        migrations.AddField(
            model_name='series',
            name='has_seasons',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='series',
            name='latest_season',
            field=models.PositiveSmallIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='watchlistitem',
            name='last_season_downloaded',
            field=models.PositiveSmallIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(find_latest, migrations.RunPython.noop),
    ]
