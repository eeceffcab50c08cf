from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('concierge', '0005_stays_keys_and_orders'),
    ]

    operations = [
        migrations.AddField(
            model_name='standingorder',
            name='weekdays',
            field=models.JSONField(blank=True, default=list, verbose_name='jours'),
        ),
    ]
