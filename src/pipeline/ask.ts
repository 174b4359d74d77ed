// A model call: one step per concrete model. What goes into the journal is what is new since the call before.
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { ModelRequest, ModelResponse } from "../core/model.ts";
import { done, type Outcome } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import type { StepContext } from "../core/step.ts";
import { chatSpan } from "../telemetry/attributes.ts";
import type { Line } from "./line.ts";
import { wrapModel } from "./yours.ts";

export async function ask(run: Run, line: Line, turn: number): Promise<Outcome<ModelResponse>> {
  const { model, toolSpecs, settings, output, modelTerms, middleware } = line.agent;
  const request: ModelRequest = {
    messages: line.thread.messages.slice(),
    tools: toolSpecs,
    settings,
    ...(output ? { output: { name: output.name, schema: output.schema.jsonSchema } } : {}),
  };
  const call = { run: run.facts, key: `${run.path}model`, provider: model.provider, model: model.id, request };
  return run.step({
    kind: "model",
    key: "model",
    name: model.id,
    input: recordedInput(line),
    repeat: "freely",
    terms: modelTerms,
    span: chatSpan(model, request, line.streamed),
    perform: (context) => attempt(line, turn, request, context),
    ...wrapModel(middleware, call),
  });
}

function recordedInput(line: Line): Json {
  const { model, settings, toolSpecs, toolsPrint, output } = line.agent;
  const first = !line.toolsRecorded;
  line.toolsRecorded = true;
  const tools = toolSpecs.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  return {
    provider: model.provider,
    messages: line.thread.takeNew(),
    toolsPrint,
    ...(first ? { tools, settings: { ...settings } } : {}),
    ...(first && output ? { output: { name: output.name, schema: output.schema.jsonSchema } } : {}),
  };
}

/** Text that has been shown cannot be taken back: from then on the attempt is the only one. Text that is held is forgotten instead. */
async function attempt(line: Line, turn: number, request: ModelRequest, context: StepContext): Promise<Outcome<ModelResponse>> {
  const { model } = line.agent;
  const { signal, clock } = context;
  // A model that was left behind may go on talking; nobody listens any more.
  const onText = (text: string) => {
    if (!signal.aborted) line.window.push(turn, text);
  };
  try {
    const streaming = line.streamed ? { onText } : {};
    const response = await model.call(request, { signal, attempt: context.attempt, now: () => clock.now(), ...streaming });
    if (!isResponse(response)) throw new AgentError("model_response_invalid", `${model.id} answered with something that is no response.`);
    return done(response);
  } catch (thrown) {
    const error = toAgentError(thrown, "provider_unavailable", `${model.id} could not be reached.`);
    if (signal.aborted || !line.window.hasShown(turn)) {
      if (!signal.aborted) line.window.discard(turn);
      throw error;
    }
    const message = `The answer of ${model.id} broke off after part of it had been shown.`;
    throw new AgentError("stream_interrupted", message, { cause: error, details: { reason: error.code } });
  }
}

function isResponse(response: ModelResponse): boolean {
  return (
    typeof response === "object" && response !== null && response.message?.role === "assistant" && Array.isArray(response.message.content)
  );
}
