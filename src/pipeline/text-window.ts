// Text on its way to the consumer. The output filter owns this window: with output guardrails nothing leaves before they have passed it.
import type { Clock } from "../core/clock.ts";
import type { RunEvent } from "../core/events.ts";

export interface TextWindow {
  /** Text of a model call in flight. */
  push(turn: number, text: string): void;
  /** True when text of this turn has left: then the attempt must not be tried again. */
  hasShown(turn: number): boolean;
  /** An answer begins (anew): what has been shown of this turn is void, and the consumer is told so. */
  restart(turn: number): void;
  /** The turn is over and this is its text: whatever of it has not left leaves now, unless it is being held. */
  finish(turn: number, text: string): void;
  /** The output filter lets this text go; what has already left of the turn is not repeated. */
  release(turn: number, text: string): void;
  /** What the consumer has seen of the latest turn that showed anything. */
  readonly latest: string | undefined;
}

/** `held`: text leaves only when released. */
export function createTextWindow(emit: (event: RunEvent) => void, clock: Clock, held: boolean): TextWindow {
  let shownTurn = 0;
  let shown = "";
  const show = (turn: number, text: string) => {
    if (turn !== shownTurn) shown = "";
    shownTurn = turn;
    shown += text;
    if (text) emit({ type: "text.delta", turn, text });
  };
  // Text that went another way than what was shown (middleware that answers after a stream) cannot be glued to it.
  const rest = (turn: number, text: string) => {
    const before = turn === shownTurn ? shown : "";
    if (text.startsWith(before)) show(turn, text.slice(before.length));
  };
  return {
    push: (turn, text) => {
      if (!held) show(turn, text);
    },
    hasShown: (turn) => turn === shownTurn && shown !== "",
    restart: (turn) => {
      if (turn !== shownTurn || shown === "") return;
      shown = "";
      emit({ type: "attempt.restarted", at: clock.now(), turn });
    },
    finish: (turn, text) => {
      if (!held) rest(turn, text);
    },
    release: rest,
    get latest() {
      return shown === "" ? undefined : shown;
    },
  };
}
