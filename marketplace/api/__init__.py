"""The partners' room by the API: the directory, what a card gives, a partner's own calls."""

from ninja import Router

from marketplace.api.mine import router as mine
from marketplace.api.offers import router as offers
from marketplace.api.partners import router as partners

router = Router()
router.add_router("", partners)
router.add_router("", offers)
router.add_router("", mine)
