// One request that is known and understood, from the run it asks for to the answer. The run never depends on who listens, unless asked to.
import { AgentError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import type { Principal } from "../core/facts.ts";
import type { RunResult } from "../core/result.ts";
import { whenAborted } from "../core/waiting.ts";
import type { ResumeOptions } from "../runs/agent-options.ts";
import { errorAnswer, resultAnswer, resultJson } from "./answer.ts";
import { mayGoOn, type ServedAgent } from "./asked-again.ts";
import { httpStatusOf } from "./client-result.ts";
import { eventStream, eventStreamHeaders, type KeepAlive } from "./event-stream.ts";
import type { Piece } from "./open-work.ts";
import type { Ask } from "./read-ask.ts";

export interface Served<Output> {
  readonly agent: ServedAgent<Output>;
  readonly request: Request;
  readonly ask: Ask;
  readonly user: Principal | undefined;
  readonly context: unknown;
  readonly piece: Piece;
  /** A client that leaves cancels the run it has begun. */
  readonly cancels: boolean;
  readonly keepAlive: KeepAlive;
  /** Told of a run that failed by no fault of the client's. */
  readonly onFailed: (error: AgentError) => void;
}

/** Rejects for bugs only. */
export async function serveRun<Output>(served: Served<Output>): Promise<Response> {
  const { request, piece, cancels } = served;
  const leave = () => {
    if (cancels) piece.stop.abort(new AgentError("cancelled", "The client left."));
  };
  const release = cancels ? whenAborted(request.signal, leave) : () => {};
  const over = () => {
    release();
    piece.ran();
  };
  try {
    const started = await start(served);
    void started.result.then(over, over);
    if (!started.events) {
      const result = await started.result;
      piece.told();
      return answerOf(result, served);
    }
    return await streamed(started.events, started.result, served, leave);
  } catch (thrown) {
    over();
    piece.told();
    // What the runtime says of an input that no model could be given.
    if (AgentError.is(thrown) && thrown.code === "input_invalid") return errorAnswer(400, thrown);
    throw thrown;
  }
}

interface Started<Output> {
  readonly result: Promise<RunResult<Output>>;
  /** Absent when nobody wants to watch. */
  readonly events?: AsyncIterator<RunEvent>;
}

/** Starts the run, joins it, has it answered from its journal, or goes on with it: whichever fits the id that was given. */
async function start<Output>({ agent, request, ask, user, context, piece, keepAlive }: Served<Output>): Promise<Started<Output>> {
  const { input, runId, conversationId } = ask;
  const pass: ResumeOptions = { context, signal: piece.stop.signal, onBreak: "continue", ...(user ? { user } : {}) };
  const options = { ...pass, ...(runId === undefined ? {} : { runId }), ...(conversationId === undefined ? {} : { conversationId }) };
  const goesOn = runId !== undefined && (await mayGoOn(agent, { runId, input, options, now: keepAlive.clock.now() }));
  if (!wantsEvents(request)) return { result: goesOn ? agent.resume(runId, pass) : agent.run(input, options) };
  const stream = goesOn ? agent.resumeStream(runId, pass) : agent.stream(input, options);
  return { result: stream.result, events: stream[Symbol.asyncIterator]() };
}

const wantsEvents = ({ headers }: Request) => /\btext\/event-stream\b/i.test(headers.get("accept") ?? "");

/** A run that could not be opened says so with a status: only with its first event is it known that there will be a stream. */
async function streamed<Output>(
  events: AsyncIterator<RunEvent>,
  result: Promise<RunResult<Output>>,
  served: Served<Output>,
  onLeft: () => void,
): Promise<Response> {
  const { piece, keepAlive } = served;
  const first = await events.next();
  if (first.done || first.value.type === "run.finished") {
    piece.told();
    return answerOf(await result, served);
  }
  const last = async () => {
    const told = await result;
    report(told, served);
    return resultJson(told);
  };
  const body = eventStream({ first: first.value, rest: events, result: last, onLeft, onOver: () => piece.told() }, keepAlive);
  return new Response(body, { headers: eventStreamHeaders });
}

function answerOf<Output>(result: RunResult<Output>, served: Served<Output>): Response {
  report(result, served);
  return resultAnswer(result, served.keepAlive.clock.now());
}

function report<Output>(result: RunResult<Output>, { onFailed }: Served<Output>) {
  if (result.status === "failed" && httpStatusOf(result) >= 500) onFailed(result.error);
}
