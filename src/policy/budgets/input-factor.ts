// How much more a provider may count than we do, by model. Invariant: it only grows: who was once counted too low is not trusted again.

/** What a local count cannot know of a provider: its own tokenizer, and what it adds to a request. */
export interface InputFactor {
  /** What so many counted tokens may be at most. */
  atMost(counted: number): number;
  /** What they were: more than thought makes every later count larger. */
  saw(counted: number, reported: number): void;
}

// Sources and reasons: docs/guides/budgets.md. Newer tokenizers of Anthropic make up to 1.6 times as much of a text as o200k does.
const byProvider: Readonly<Record<string, number>> = { openai: 1.1 };
const ofOthers = 1.65;

/** A provider that reports nonsense must not make every later call unaffordable. */
const largest = 8;

export function createInputFactor(provider: string): InputFactor {
  let factor = byProvider[provider] ?? ofOthers;
  return {
    atMost: (counted) => Math.ceil(counted * factor),
    saw: (counted, reported) => {
      if (counted > 0 && reported > counted * factor) factor = Math.min(largest, (reported / counted) * 1.02);
    },
  };
}
