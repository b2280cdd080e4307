"""What a server has beside its sessions, by its settings."""

from turnwire.admin.extension import admin
from turnwire.metrics.extension import metrics
from turnwire.server.extensions import Extend
from turnwire.server.settings import Settings, SettingsError
from turnwire.transport.networks import Networks
from turnwire.webhooks.api import deliveries
from turnwire.webhooks.sending import webhooks


def extensions(settings: Settings) -> list[Extend]:
    """Raises `SettingsError` for what is not installed."""
    readers = Networks.parse(settings.metrics_from)
    also = [] if settings.no_webhooks else [deliveries]
    extend = [
        metrics(readers=readers, accounts=settings.metrics_accounts),
        admin(from_anywhere=settings.admin_from_anywhere, also=also),
    ]
    if not settings.no_webhooks:
        extend.append(webhooks(allow_private=settings.webhook_allow_private))
    if settings.otlp_endpoint is not None:
        extend.append(_traces(settings.otlp_endpoint, settings.node))
    return extend


def _traces(endpoint: str, node: str) -> Extend:
    try:
        from turnwire.traces.extension import traces
    except ModuleNotFoundError as error:
        raise SettingsError(
            f'Traces need {error.name}, which is not installed: pip install "turnwire[otel]".'
        ) from None
    return traces(endpoint, node=node)
