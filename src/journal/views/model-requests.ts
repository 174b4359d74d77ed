// A view: the requests the models were sent, put together again from a journal that holds every message once.
import { AgentError } from "../../core/errors.ts";
import { type AttemptStarted, type Entry, isWrapUp } from "../../core/journal.ts";
import { isJsonObject, type Json, recall } from "../../core/json.ts";
import type { Message } from "../../core/message.ts";
import type { ModelRequest } from "../../core/model.ts";

/** One model step and what was asked in it, word for word. */
export interface RecordedRequest {
  readonly key: string;
  readonly model: string;
  readonly provider: string;
  readonly request: ModelRequest;
}

/** For export, analysis and for looking at what a model really read. Throws `journal_corrupt` when something it refers to is missing. */
export function modelRequests(entries: readonly Entry[]): readonly RecordedRequest[] {
  const contents = new Map<string, Json>();
  const messages: Message[] = [];
  const found: RecordedRequest[] = [];
  for (const entry of entries) {
    if (entry.type === "run.started") keepInput(contents, entry.input);
    if (entry.type === "decided" && entry.key === "instructions") settle(messages, contents.get(entry.key), entry.choice);
    if (entry.type === "decided") contents.set(entry.key, entry.choice);
    if (entry.type === "step.done" && entry.outcome.ok) contents.set(entry.key, entry.outcome.value);
    const input = askedIn(entry);
    if (!input) continue;
    const fresh = listIn(input, "messages").map((recorded) => resolve(recorded, contents));
    const asked = [...messages, ...fresh];
    // The conversation went on without what a run was once wrapped up with.
    if (!isWrapUp(input.key)) messages.push(...fresh);
    found.push({
      key: input.key,
      model: input.model,
      provider: textIn(input.value, "provider"),
      request: requestOf(input, asked, contents),
    });
  }
  return found;
}

/** Settled anew, as in a fork, instructions take the place of those that earlier requests had. */
function settle(messages: Message[], before: Json | undefined, now: Json) {
  if (messages.length === 0 || before === undefined) return;
  if (before !== null) messages.shift();
  if (typeof now === "string") messages.unshift({ role: "system", content: now });
}

interface AskedModel {
  readonly key: string;
  readonly model: string;
  readonly value: Json;
  /** What a budget allowed the answer to be long. */
  readonly shortened: number | undefined;
}

/** A model step as it was asked: with its first attempt, or with its outcome when it was answered without one. */
function askedIn(entry: Entry): AskedModel | undefined {
  if ((entry.type !== "attempt.started" && entry.type !== "step.done") || entry.kind !== "model") return undefined;
  const { key, name, input }: Pick<AttemptStarted, "key" | "name" | "input"> = entry;
  const shortened = entry.type === "attempt.started" ? entry.reserved?.maxOutputTokens : undefined;
  return input === undefined ? undefined : { key, model: name, value: input, shortened };
}

function keepInput(contents: Map<string, Json>, input: string | readonly Message[]) {
  const said = typeof input === "string" ? [input] : input.map(({ content }) => content);
  for (const [position, content] of said.entries()) contents.set(`input/${position}`, JSON.parse(JSON.stringify(content)));
}

function requestOf({ value, shortened }: AskedModel, messages: readonly Message[], contents: ReadonlyMap<string, Json>): ModelRequest {
  const offer = contents.get(`offer/${textIn(value, "offer")}`);
  if (offer === undefined) throw missing("what the model was offered");
  const offered = recall<Omit<ModelRequest, "messages">>(offer);
  const settings = shortened === undefined ? offered.settings : { ...offered.settings, maxOutputTokens: shortened };
  return { ...offered, settings, messages: [...messages] };
}

/** A message is recorded whole, or with a reference in place of its content. */
function resolve(recorded: Json, contents: ReadonlyMap<string, Json>): Message {
  const ref = field(recorded, "ref");
  if (typeof ref !== "string" || !isJsonObject(recorded)) return recall<Message>(recorded);
  const source = contents.get(ref);
  if (source === undefined) throw missing(ref);
  const { ref: _, ...rest } = recorded;
  return recall<Message>({ ...rest, content: contentOf(source) });
}

/** Text as it is, a model's message, a tool's result, or what a guardrail made of one. */
function contentOf(source: Json): Json {
  if (!isJsonObject(source)) return source;
  const message = source["message"];
  if (message !== undefined && isJsonObject(message)) return message["content"] ?? null;
  return source["content"] ?? source["text"] ?? null;
}

const field = (value: Json, name: string): Json | undefined => (isJsonObject(value) ? value[name] : undefined);

function textIn(value: Json, name: string): string {
  const text = field(value, name);
  return typeof text === "string" ? text : "";
}

function listIn({ value }: AskedModel, name: string): readonly Json[] {
  const list = field(value, name);
  return Array.isArray(list) ? list : [];
}

const missing = (what: string) => new AgentError("journal_corrupt", `This journal refers to ${what}, which is not in it.`);
