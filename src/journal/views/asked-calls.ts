// A view: the calls that models have asked for, with the schema of the tool each was offered then; for telling changed tools from wrong calls.
import type { Entry } from "../../core/journal.ts";
import { isJsonObject, type Json, recall } from "../../core/json.ts";
import { callsOf } from "../../core/message.ts";
import type { ModelOffer, ModelResponse } from "../../core/model.ts";

/** The input schema of the tool, by the key of the call; a call of a tool that was not offered is not in it. */
export function askedCalls(entries: readonly Entry[]): ReadonlyMap<string, Json> {
  const offers = new Map<string, ReadonlyMap<string, Json>>();
  const offerOf = new Map<string, string>();
  const asked = new Map<string, Json>();
  for (const entry of entries) {
    if (entry.type === "decided" && entry.reason === "offer") offers.set(entry.key, schemasOf(entry.choice));
    if ((entry.type !== "attempt.started" && entry.type !== "step.done") || entry.kind !== "model") continue;
    const { key, input } = entry;
    if (input !== undefined) offerOf.set(key, offerIn(input));
    if (entry.type !== "step.done" || !entry.outcome.ok) continue;
    const schemas = offers.get(offerOf.get(key) ?? "");
    const turn = key.slice(0, key.indexOf("/"));
    for (const [position, { name }] of callsOf(recall<ModelResponse>(entry.outcome.value).message).entries()) {
      const schema = schemas?.get(name);
      if (schema !== undefined) asked.set(`${turn}/tool/${position}`, schema);
    }
  }
  return asked;
}

const offerIn = (input: Json) => (isJsonObject(input) && typeof input["offer"] === "string" ? `offer/${input["offer"]}` : "");

const schemasOf = (offer: Json) =>
  new Map(recall<ModelOffer>(offer).tools.map(({ name, inputSchema }): [string, Json] => [name, inputSchema]));
