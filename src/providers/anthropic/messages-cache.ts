// Marks in a request up to which the provider keeps what it has read. Invariant: three at most, at ends that stand again in later requests.
import type Anthropic from "@anthropic-ai/sdk";
import type { Turn } from "./messages-turns.ts";

type Marked = Pick<Anthropic.MessageCreateParamsNonStreaming, "system" | "tools" | "messages">;

export interface Prefix {
  readonly system: readonly Anthropic.TextBlockParam[];
  readonly tools: readonly Anthropic.Tool[];
  readonly turns: readonly Turn[];
}

/**
 * Tools and instructions, which every run of an agent has in common, end in one mark. The two latest turns of the user have one each: at
 * the first of them the request before ended, so it is read whole however much has come since, and at the second the next one will begin.
 * A conversation that nothing points to going on (no tools, nothing answered yet) has none of these: writing to the cache costs.
 */
export function marked({ system, tools, turns }: Prefix, promptCache: "5m" | "1h" | "off"): Marked {
  const off = promptCache === "off";
  const mark = { cache_control: promptCache === "1h" ? ({ type: "ephemeral", ttl: "1h" } as const) : ({ type: "ephemeral" } as const) };
  const goesOn = !off && (tools.length > 0 || turns.length > 1);
  const markAtEnd = <Block extends object>(blocks: readonly Block[]) => [
    ...blocks.slice(0, -1),
    ...blocks.slice(-1).map((last) => ({ ...last, ...mark })),
  ];
  const latest = goesOn ? turns.filter(({ role }) => role === "user").slice(-2) : [];
  return {
    ...(system.length > 0 ? { system: off ? [...system] : markAtEnd(system) } : {}),
    ...(tools.length > 0 ? { tools: off || system.length > 0 ? [...tools] : markAtEnd(tools) } : {}),
    messages: turns.map((turn) =>
      turn.role === "user" && latest.includes(turn) ? { role: turn.role, content: markAtEnd(turn.content) } : turn,
    ),
  };
}
