"""What the client hears of what the engine recognizes: turns, and silences if it asked for them."""

from turnwire.recognition import Pause, SpeechEvent
from turnwire.session.effects import Effect, Send
from turnwire.session.options import SessionOptions
from turnwire.session.request import SessionRequest
from turnwire.session.silence import SilenceReporter
from turnwire.session.style import Style, style
from turnwire.session.turns import TurnAssembler


class SpeechReporter:
    """One session's turns and silences."""

    def __init__(self, request: SessionRequest, options: SessionOptions) -> None:
        self._options = options
        self._silence = SilenceReporter()
        self._silence_asked = bool(request.parameters.acknowledge_silence)
        self._turns = TurnAssembler(
            request.endpointing,
            self._style(request),
            partials=request.parameters.include_partial_turns,
        )

    def update(self, request: SessionRequest) -> None:
        """Go by this request from here on."""
        self._silence_asked = bool(request.parameters.acknowledge_silence)
        self._turns.endpointing = request.endpointing
        self._turns.style = self._style(request)

    def receive(self, event: SpeechEvent) -> list[Effect]:
        effects = self._turns.receive(event)
        if self._silence_asked and isinstance(event, Pause):
            effects += map(Send, self._silence.receive(event))
        return effects

    def _style(self, request: SessionRequest) -> Style:
        return style(request.family, request.parameters, self._options.mask_profanity)
