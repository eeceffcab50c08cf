from django import template

from club.kernel import codes, words

register = template.Library()
register.filter("day", words.day)
register.filter("hour", words.hour)
register.filter("moment", words.moment)
register.filter("money", words.money)
register.filter("spoken", codes.spoken)
