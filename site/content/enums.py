from django.db import models
from django.utils.translation import gettext_lazy as _


class Wall(models.TextChoices):
    """What a picture stands before: one colour per department."""

    BUTTER = "butter", _("beurre")
    WATER = "water", _("eau")
    CLAY = "clay", _("argile")
    ROSE = "rose", _("rose")
    LINDEN = "linden", _("tilleul")
    HONEY = "honey", _("miel")
