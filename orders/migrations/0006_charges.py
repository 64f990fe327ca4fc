from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F, Q


def let_old_orders_add_up(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Orders of before had neither delivery costs nor coupons: they cost what their lines cost."""
    apps.get_model("orders", "Order").objects.update(subtotal=F("total"))


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_returns")]

    operations = [
        migrations.AddField(
            "order",
            "subtotal",
            models.PositiveBigIntegerField(default=0, help_text="What the lines cost, in minor units."),
            preserve_default=False,
        ),
        migrations.AddField("order", "discount", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AddField(
            "order", "coupon", models.CharField(blank=True, db_default="", default="", max_length=40)
        ),
        migrations.AddField("order", "shipping", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AddField(
            "order",
            "shipping_method",
            models.CharField(db_default="standard", default="standard", max_length=20),
        ),
        migrations.AddField(
            "order",
            "tax_rate",
            models.PositiveIntegerField(db_default=0, default=0, help_text="Basis points."),
        ),
        migrations.AddField(
            "order",
            "tax",
            models.PositiveBigIntegerField(db_default=0, default=0, help_text="Part of the total."),
        ),
        migrations.RunPython(let_old_orders_add_up, migrations.RunPython.noop),
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(
                name="order_total_adds_up",
                condition=Q(total=F("subtotal") - F("discount") + F("shipping"), discount__lte=F("subtotal")),
            ),
        ),
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(name="order_tax_is_part_of_total", condition=Q(tax__lte=F("total"))),
        ),
    ]
