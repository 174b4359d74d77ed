// A view: the calls that models have asked for, with the schema of the tool each was offered then; for telling changed tools from wrong calls.
import { type Entry, isWrapUp } from "../../core/journal.ts";
import { isJsonObject, type Json } from "../../core/json.ts";

/** The input schema of the tool, by the key of the call; a call of a tool that was not offered is not in it. */
export function askedCalls(entries: readonly Entry[]): ReadonlyMap<string, Json> {
  const offers = new Map<string, ReadonlyMap<string, Json>>();
  const offerOf = new Map<string, string>();
  const asked = new Map<string, Json>();
  for (const entry of entries) {
    if (entry.type === "decided" && entry.reason === "offer") offers.set(entry.key, schemasIn(entry.choice));
    if ((entry.type !== "attempt.started" && entry.type !== "step.done") || entry.kind !== "model") continue;
    // What a run is wrapped up with makes no calls, whatever it says.
    if (isWrapUp(entry.key)) continue;
    const { key, input } = entry;
    if (input !== undefined) offerOf.set(key, `offer/${textAt(input, "offer")}`);
    if (entry.type !== "step.done" || !entry.outcome.ok) continue;
    const schemas = offers.get(offerOf.get(key) ?? "");
    const turn = key.slice(0, key.indexOf("/"));
    for (const [position, name] of calledIn(entry.outcome.value).entries()) {
      const schema = schemas?.get(name);
      if (schema !== undefined) asked.set(`${turn}/tool/${position}`, schema);
    }
  }
  return asked;
}

const schemasIn = (offer: Json) => new Map(listAt(offer, "tools").map((tool) => [textAt(tool, "name"), at(tool, "inputSchema") ?? null]));

/** The names a model called. What a step of a user's stage answered need not be a message. */
const calledIn = (response: Json): readonly string[] =>
  listAt(at(response, "message") ?? null, "content")
    .filter((part) => textAt(part, "type") === "tool-call")
    .map((part) => textAt(part, "name"));

const at = (value: Json, name: string): Json | undefined => (isJsonObject(value) ? value[name] : undefined);

function textAt(value: Json, name: string): string {
  const text = at(value, name);
  return typeof text === "string" ? text : "";
}

function listAt(value: Json, name: string): readonly Json[] {
  const list = at(value, name);
  return Array.isArray(list) ? list : [];
}
