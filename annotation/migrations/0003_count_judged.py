"""Counts, for the triplets that were judged before the column existed."""

from django.db import migrations
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce


def count_judged(apps, schema_editor):
    Triplet = apps.get_model("annotation", "Triplet")
    Trial = apps.get_model("annotation", "Trial")
    judged = (
        Trial.objects.filter(triplet=OuterRef("pk"), state="judged")
        .order_by()
        .values("triplet")
        .annotate(n=Count("pk"))
        .values("n")
    )
    Triplet.objects.update(
        n_judged=Coalesce(Subquery(judged, output_field=IntegerField()), 0)
    )


class Migration(migrations.Migration):
    dependencies = [("annotation", "0002_how_people_are_asked")]
    operations = [migrations.RunPython(count_judged, migrations.RunPython.noop)]
