// How a run looks on a terminal: events, timeline rows and a result in, text of at most 100 columns out. Nothing is printed here.
import { styleText } from "node:util";
import type { RunEvent, RunResult, TimelineRow } from "airworthy";

const columns = 100;

export interface RenderOptions {
  readonly colours: boolean;
}

type Style = "dim" | "green" | "yellow" | "red" | "bold" | "reset";

const painter =
  ({ colours }: RenderOptions) =>
  (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;

/** The progress of one run: give it every event in turn and print what it answers, which is whole lines but for streamed text. */
export function createProgress(options: RenderOptions): (event: RunEvent) => string {
  const paint = painter(options);
  const write = createTextWriter("           | ");
  let startedAt = 0;
  return (event) => {
    if (event.type === "run.started") startedAt = event.at;
    if (event.type === "text.delta") return write(event.text);
    if (event.type === "attempt.restarted") return write.end(); // Only for those who ask for it.
    const [where, text, style] = wordsOf(event);
    if (text === "") return "";
    const time = paint("dim", `${event.at - startedAt} ms`.padStart(9));
    return `${write.end()}${time}  ${where.padEnd(22)}  ${paint(style, clip(text, columns - 35))}\n`;
  };
}

function wordsOf(
  event: Exclude<RunEvent, { type: "text.delta" | "attempt.restarted" }>,
): readonly [where: string, text: string, style: Style] {
  switch (event.type) {
    case "run.started":
      return [event.agent, `run ${event.runId}`, "bold"];
    case "run.resumed":
      return ["", "resumed", "bold"];
    case "attempt.started":
      return [event.key, event.attempt === 1 ? event.name : `${event.name}, attempt ${event.attempt}`, "reset"];
    case "attempt.failed": {
      const next = event.retryAt === undefined ? "" : `, again in ${event.retryAt - event.at} ms`;
      return [event.key, `failed: ${event.code}${next}`, "yellow"];
    }
    case "step.finished":
      return stepWords(event);
    case "budget.near":
      return [
        event.key,
        `${Math.round((100 * (event.spent + event.reserved)) / event.limit)} % of the budget of ${event.scope} is used up`,
        "yellow",
      ];
    case "note.added":
      return [event.key, event.note, "yellow"];
    case "run.finished":
      return ["", event.code ? `${event.status} with ${event.code}` : event.status, event.status === "completed" ? "green" : "red"];
    case "stage.finished":
      return [event.key, "", "dim"]; // The timeline shows the stages.
  }
}

const dollars = (usd: number) => `$${usd.toFixed(6)}`;

type StepFinished = Extract<RunEvent, { type: "step.finished" }>;

function stepWords({ key, name, code, usd }: StepFinished): readonly [where: string, text: string, style: Style] {
  const cost = usd ? `, ${dollars(usd)}` : "";
  return code ? [key, `${name} ended with ${code}${cost}`, "yellow"] : [key, `done${cost}`, "green"];
}

/** Writes text that comes in pieces, broken between words; `end` closes the line that is open. */
function createTextWriter(margin: string) {
  let column = 0;
  const write = (piece: string) => {
    let written = "";
    for (const character of piece) {
      if (column === 0) written += margin;
      // A word that has begun is on the terminal already, so lines end early enough for most words to fit.
      const ends = character === "\n" || (character === " " && column > columns - margin.length - 15);
      written += ends ? "\n" : character;
      column = ends ? 0 : column + 1;
    }
    return written;
  };
  const end = () => {
    const ending = column > 0 ? "\n" : "";
    column = 0;
    return ending;
  };
  return Object.assign(write, { end });
}

/** The timeline as a table: when, for how long, what, with what outcome, and of each model call the tokens and what they cost. */
export function renderTimeline(rows: readonly TimelineRow[], options: RenderOptions): string {
  const paint = painter(options);
  const outcomeWidth = Math.max(...rows.map(({ outcome }) => outcome.length), "outcome".length);
  const whatWidth = columns - outcomeWidth - 46;
  const line = (at: string, took: string, what: string, outcome: string, tokens: string, cost: string) =>
    `${at.padStart(6)}  ${took.padStart(6)}  ${clip(what, whatWidth).padEnd(whatWidth)}  ${outcome.padEnd(outcomeWidth)}  ${tokens.padStart(15)}  ${cost.padStart(9)}`;
  const lines = rows.map((row) => {
    const { atMs, durationMs, outcome, inputTokens, outputTokens, usd } = row;
    const tokens = inputTokens === undefined && outputTokens === undefined ? "" : `${inputTokens ?? "?"} + ${outputTokens ?? "?"}`;
    return paint(styleOf(row), line(`${atMs}`, `${durationMs ?? ""}`, whatOf(row), outcome, tokens, usd ? dollars(usd) : "").trimEnd());
  });
  return [paint("bold", line("at ms", "took", "what", "outcome", "tokens in + out", "cost")), ...lines, ""].join("\n");
}

/** Steps stand indented below their stage, attempts below their step. */
function whatOf({ kind, key, what }: TimelineRow): string {
  if (kind === "run") return what;
  if (kind === "stage") return key;
  return kind === "attempt" ? `    ${key}  ${what}` : `  ${key}  ${what}`;
}

function styleOf({ kind, outcome }: TimelineRow): Style {
  if (kind === "stage") return "dim";
  return kind === "attempt" || /_/.test(outcome) ? "yellow" : "reset";
}

/** What the run came to. */
export function renderResult(result: RunResult, answer: string, options: RenderOptions): string {
  const paint = painter(options);
  const { usage, cost, timings, degraded } = result;
  const { inputTokens = "?", outputTokens = "?" } = usage;
  const write = createTextWriter(" ".repeat(10));
  const facts = {
    status: paint(result.status === "completed" ? "green" : "red", result.status),
    answer: (write(answer) + write.end()).trim(),
    tokens: `${inputTokens} in, ${outputTokens} out, for ${usage.modelCalls} model calls`,
    cost: `${dollars(cost.usd)}${cost.unpriced > 0 ? ", and what nobody has a price for" : ""}`,
    time: `${timings.totalMs} ms, ${timings.modelMs} of them in the model, ${timings.toolMs} in tools`,
    degraded: degraded.map(({ tool, by }) => `${tool}, answered by ${by}`).join("; ") || "none",
  };
  return Object.entries(facts)
    .map(([name, fact]) => `${paint("bold", name.padEnd(8))}  ${fact}\n`)
    .join("");
}

const clip = (text: string, width: number) => (text.length <= width ? text : `${text.slice(0, width - 3)}...`);
