"""`gettext_lazy` under the type that ninja's decorators ask for; its JSON knows the rest."""

from collections.abc import Callable
from typing import cast

from django.utils import translation

gettext_lazy = cast(Callable[[str], str], translation.gettext_lazy)
