"""French as Django has it, with hours as people write them."""

from config.formats import TIMES

TIME_INPUT_FORMATS = TIMES
