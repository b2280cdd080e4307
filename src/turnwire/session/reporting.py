"""What the client hears of what the engine recognizes: turns, and what else it asked for."""

from turnwire.recognition import Marked, Pause, SpeechEvent
from turnwire.session.effects import Effect, Send
from turnwire.session.options import SessionOptions
from turnwire.session.request import SessionRequest
from turnwire.session.silence import SilenceReporter
from turnwire.session.style import Style, style
from turnwire.session.turns import TurnAssembler
from turnwire.session.warnings import Warnings
from turnwire.wire.closures import INVALID_PARAMETER

_OTHER_LANGUAGE = (
    "The language spoken seems to be '{spoken}', and this session writes '{written}': "
    "'language_codes' or the speech_model 'universal-streaming-multilingual' let it write others."
)


class SpeechReporter:
    """One session's turns and silences, and a Warning if its language is another."""

    def __init__(
        self, request: SessionRequest, options: SessionOptions, warnings: Warnings
    ) -> None:
        self._options = options
        self._warnings = warnings
        self._warned = False
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
        if isinstance(event, Pause) and event.spoken is not None and not self._warned:
            self._warned = True
            text = _OTHER_LANGUAGE.format(spoken=event.spoken.code, written=event.language.code)
            effects = [*self._warnings.text(INVALID_PARAMETER, text), *effects]
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
