// How a run looks on a terminal: events, timeline rows and a result in, text of at most 100 columns out. Nothing is printed here.
import { styleText } from "node:util";
import type { RunEvent, RunResult, TimelineRow } from "airworthy";

const columns = 100;

/** One run's progress: give it each event in turn, print what it answers as it is. */
export function createProgress({ colours = false } = {}): (event: RunEvent) => string {
  const paint = painter(colours);
  let startedAt = 0;
  let column = 0;

  /** Text goes on where the last piece ended; anything else begins a line. */
  const line = (text: string) => {
    const end = column > 0 ? "\n" : "";
    column = 0;
    return `${end}${text}\n`;
  };
  const step = (at: number, key: string, text: string, style: Style) =>
    line(`${paint("dim", ms(at - startedAt))}  ${key.padEnd(22)}  ${paint(style, text)}`);

  return (event) => {
    switch (event.type) {
      case "run.started":
        startedAt = event.at;
        return step(event.at, event.agent, `run ${event.runId}`, "dim");
      case "attempt.started":
        return step(event.at, event.key, event.attempt > 1 ? `${event.name}, attempt ${event.attempt}` : event.name, "reset");
      case "attempt.failed": {
        const again = event.retryAt === undefined ? "" : `, again in ${event.retryAt - event.at} ms`;
        return step(event.at, event.key, `failed: ${event.code}${again}`, "yellow");
      }
      case "step.finished":
        return step(event.at, event.key, event.code ? `${event.name}: ${event.code}` : "done", event.code ? "yellow" : "green");
      case "note.added":
        return step(event.at, event.key, event.note, "dim");
      case "run.finished":
        return step(event.at, "end", event.status, event.status === "completed" ? "green" : "red");
      case "text.delta":
        return "";
      case "run.resumed":
      case "stage.finished":
        return "";
    }
  };
}
type Style = Parameters<typeof styleText>[0];
const painter = (colours: boolean) => (style: Style, text: string) => (colours ? styleText(style, text, { validateStream: false }) : text);
const ms = (value: number) => `${value} ms`.padStart(9);
export { columns };
