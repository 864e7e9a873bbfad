"""What each platform takes, as data. The stand-ins of the tests have their own copy, from the platforms' documentation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one platform. Lengths of text are in UTF-16 units, the strictest way in which a platform may count.

    Attributes:
        text: of one message.
        caption: of one picture.
        buttons: suggestions under one message.
        title: of one of them.
        payload: of what it sends, in bytes of UTF-8.
    """

    text: int
    caption: int = 0
    buttons: int = 0
    title: int = 0
    payload: int = 0


#: core.telegram.org/bots/api: sendMessage, sendPhoto, InlineKeyboardButton. Titles have no documented limit; a phone shows
#: about 40 characters.
TELEGRAM = Limits(text=4096, caption=1024, buttons=100, title=64, payload=64)

#: Twilio's Message resource: 1,600 characters. Error 21617 beyond.
SMS = Limits(text=1600)
#: Segments of one SMS: carriers join up to ten reliably.
SMS_SEGMENTS = 10
TWILIO_WHATSAPP = Limits(text=1600, caption=1600)

#: developers.facebook.com/docs/whatsapp/cloud-api: text messages, interactive reply buttons.
WHATSAPP = Limits(text=4096, caption=1024, buttons=3, title=20, payload=256)
#: Body of an interactive message, and its list: rows in all sections together.
WHATSAPP_INTERACTIVE_BODY = 1024
WHATSAPP_LIST = Limits(text=1024, buttons=10, title=24, payload=200)
WHATSAPP_LIST_DESCRIPTION = 72
WHATSAPP_LIST_BUTTON = 20

#: developers.facebook.com/docs/messenger-platform: Send API, quick replies.
MESSENGER = Limits(text=2000, buttons=13, title=20, payload=1000)

#: docs.slack.dev/reference/block-kit: section text, actions block, button.
SLACK = Limits(text=3000, caption=2000, buttons=25, title=75, payload=2000)
SLACK_BLOCKS = 50
SLACK_FALLBACK_TEXT = 4000
