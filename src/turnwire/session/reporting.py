"""What the client hears of what the engine recognizes: turns, and silences if it asked for them."""

from turnwire.recognition import Marked, Pause, SpeechEvent
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
        if isinstance(event, Pause) and self._silence_asked:
            effects += map(Send, self._silence.receive(event))
        elif isinstance(event, Marked):
            if effects:
                self._silence.speech(event.at)
            elif self._silence_asked:
                effects.append(Send(self._silence.mark(event.at)))
        return effects

    def give_up(self) -> list[Effect]:
        """The last turn, of the words at hand."""
        return self._turns.give_up()

    def _style(self, request: SessionRequest) -> Style:
        return style(request.family, request.parameters, self._options.mask_profanity)
