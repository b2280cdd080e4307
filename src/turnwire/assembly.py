"""What a server has beside its sessions, by its settings."""

from turnwire.admin.extension import admin
from turnwire.metrics.extension import metrics
from turnwire.server.extensions import Extend
from turnwire.server.settings import Settings
from turnwire.transport.networks import Networks
from turnwire.webhooks.api import deliveries
from turnwire.webhooks.sending import webhooks


def extensions(settings: Settings) -> list[Extend]:
    readers = Networks.parse(settings.metrics_from)
    also = [] if settings.no_webhooks else [deliveries]
    extend = [
        metrics(readers=readers, accounts=settings.metrics_accounts),
        admin(from_anywhere=settings.admin_from_anywhere, also=also),
    ]
    if not settings.no_webhooks:
        extend.append(webhooks(allow_private=settings.webhook_allow_private))
    return extend
