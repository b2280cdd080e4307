"""What a client asked for when it connected, and has changed since."""

from dataclasses import dataclass, replace

from turnwire.recognition import RecognitionOptions
from turnwire.session.endpointing import Endpointing, endpointing, mode_of, recognition_options
from turnwire.session.events import Connected
from turnwire.wire.messages import API_VERSION, Configuration, UpdateConfiguration
from turnwire.wire.models import Family, default_model
from turnwire.wire.parameters import ConnectionParameters
from turnwire.wire.queries import parse_query
from turnwire.wire.support import check_family, family_of, unchanged, without_effect


@dataclass(frozen=True, slots=True)
class SessionRequest:
    parameters: ConnectionParameters
    family: Family
    model: str
    """The name that Begin echoes."""
    api_version: str

    @classmethod
    def parse(cls, event: Connected, *, loaded: str) -> "SessionRequest":
        """Raises `Violation` for what no session may be asked for.

        `loaded` is the name of the model that serves all sessions.
        """
        parameters = parse_query(event.query)
        family = family_of(parameters, loaded=loaded)
        model = parameters.speech_model or default_model(loaded)
        check_family(parameters, family, model)
        return cls(parameters, family, model, event.api_version or API_VERSION)

    def updated(self, message: UpdateConfiguration) -> "SessionRequest":
        """With what the message changes; raises `Violation` for what it must not."""
        check_family(message, self.family, self.model)
        return replace(self, parameters=self.parameters.updated(message))

    @property
    def without_effect(self) -> list[tuple[str, str]]:
        """Which of the parameters change nothing, and why."""
        return list(without_effect(self.parameters, self.family))

    def without_effect_in(self, message: UpdateConfiguration) -> list[tuple[str, str]]:
        """Which values of an update change nothing, and why; raises `Violation` for bad ones."""
        fixed = unchanged(message.model_extra or {}, self.parameters)
        return [*without_effect(message, self.family), *fixed]

    @property
    def configuration(self) -> Configuration:
        """What Begin says of it."""
        return Configuration(
            model=self.model,
            mode=mode_of(self.family, self.parameters),
            filter_profanity=bool(self.parameters.filter_profanity),
            api_version=self.api_version,
        )

    @property
    def endpointing(self) -> Endpointing:
        return endpointing(self.family, self.parameters)

    @property
    def recognition_options(self) -> RecognitionOptions:
        return recognition_options(self.family, self.parameters)
